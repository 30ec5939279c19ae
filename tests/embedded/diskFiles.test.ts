/** Stored files, exports and imports on a disk that is full. */
import { readdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { readAdminKey } from "../../embedded/dataFiles";
import { canMountMemory, Disk } from "../e2e/disk";
import { childEnvironment, request, TestProcess, valueOf, type Answer } from "../e2e/server";
import { FIXTURE_APP } from "./harness";

const SERVER = fileURLToPath(new URL("./diskServer.ts", import.meta.url));
const REFUSED = "The server could not write to disk (ENOSPC): make room on its disk.";
const refused = { status: 500, body: { code: "InternalServerError", message: REFUSED } };
const MEGABYTE = "m".repeat(1 << 20);

/** A server with the fixture app, on a disk that can be filled. */
class Filled {
  private constructor(
    readonly disk: Disk,
    private readonly server: TestProcess,
    readonly url: string,
    private readonly adminKey: string,
  ) {}

  static async start(): Promise<Filled> {
    const disk = await Disk.inMemory("24m");
    const node = [process.execPath, "--import", import.meta.resolve("tsx"), SERVER, FIXTURE_APP];
    const [command, ...args] = [...disk.enter, ...node, disk.dataFolder];
    const server = new TestProcess(command, args, { cwd: "/", env: childEnvironment() });
    const [url = ""] = await server.line(/^http:\S+$/);
    return new Filled(disk, server, url, (await readAdminKey(disk.file(""))) ?? "");
  }

  /** Calls a function of `files.ts`. */
  call(kind: "query" | "mutation" | "action", name: string, args: object = {}): Promise<Answer> {
    return request(`${this.url}/api/${kind}`, { body: { path: `files:${name}`, args } });
  }

  async upload(text: string): Promise<Answer> {
    return request(valueOf<string>(await this.call("mutation", "uploadUrl")), { method: "POST", body: text });
  }

  /** Calls the API of the command line. */
  admin(path: string, body: unknown = {}): Promise<Answer> {
    const headers = { Authorization: `Convex ${this.adminKey}` };
    return request(this.url + path, { method: "POST", headers, body });
  }

  async system<T>(path: string, args: object = {}): Promise<T> {
    return valueOf<T>(await this.admin("/api/query", { path: `_system/cli/${path}`, args }));
  }

  /** The names of the files in one of the folders in the data folder. */
  folder(name: "files" | "exports" | "imports"): Promise<string[]> {
    return readdir(this.disk.file(name));
  }

  /** Waits until the disk has refused so many things, told of or not. */
  async refusals(count: number): Promise<void> {
    await this.server.line(new RegExp(`^fault ${count}: .*ENOSPC`));
  }

  close(): Promise<void> {
    return this.server.kill();
  }
}

describe.runIf(canMountMemory())("a full disk (only where `unshare --user --mount` is allowed)", () => {
  test("refuses files in words, whoever stores them, and keeps nothing of them; what is there is served", async () => {
    const on = await Filled.start();
    const kept = valueOf<string>(await on.call("action", "storeText", { text: "kept" }));
    const files = await on.folder("files");
    await on.disk.fill();

    expect(await on.upload(MEGABYTE)).toMatchObject(refused);
    expect(await on.upload(MEGABYTE.repeat(30))).toMatchObject(refused);
    expect(await on.call("mutation", "storeInMutation", { text: MEGABYTE })).toMatchObject({
      status: 500,
      body: { message: "The database could not write to disk. Nothing of this call was stored." },
    });
    expect(await on.call("action", "storeText", { text: MEGABYTE })).toMatchObject({
      body: { status: "error", errorMessage: expect.stringContaining("ENOSPC") as string },
    });
    expect(await on.folder("files")).toEqual(files);
    expect(valueOf(await on.call("action", "readText", { id: kept }))).toMatchObject({ text: "kept" });

    await on.disk.makeRoom();
    expect(await on.upload(MEGABYTE)).toMatchObject({ status: 200 });
    expect(valueOf(await on.call("query", "list"))).toHaveLength(2);
    await on.close();
  });

  test("that has room for a file, and not for what the database is to know of it, keeps nothing of it either", async () => {
    const on = await Filled.start();
    await on.disk.fill();
    // Until there is no room left at the end of the log either.
    const note = { path: "notes:add", args: { author: "a", text: "t" } };
    while ((await request(`${on.url}/api/mutation`, { body: note })).status === 200);
    const room = 1 << 16;
    await on.disk.makeSomeRoom(room);

    // The function adds a character.
    const text = "f".repeat(room - 1);
    expect(await on.call("mutation", "storeInMutation", { text })).toMatchObject({ status: 500 });
    await vi.waitFor(async () => expect(await on.folder("files")).toEqual([]));
    expect(await on.upload("f".repeat(room))).toMatchObject({ status: 500 });
    expect(await on.folder("files")).toEqual([]);
    await on.close();
  });

  test("ends an export as failed, and keeps nothing of it", async () => {
    const on = await Filled.start();
    for (let i = 0; i < 4; i++) await on.upload(MEGABYTE);
    await on.disk.fill();

    const ask = () => on.admin("/api/export/request/zip?includeStorage=true");
    const ended = async (state: string) => {
      await vi.waitFor(async () => expect(await on.system("exports:getLatest")).toMatchObject({ state }));
    };
    expect(await ask()).toMatchObject({ status: 200 });
    await on.refusals(1);
    expect(await on.folder("exports")).toEqual([]);
    await on.disk.makeRoom();
    await ended("failed");

    expect(await ask()).toMatchObject({ status: 200 });
    await ended("completed");
    expect(await on.folder("exports")).toHaveLength(1);
    await on.close();
  });

  test("refuses a part of an upload to import, and ends an import as failed, in words; both can be done anew", async () => {
    const on = await Filled.start();
    const rows = Array.from({ length: 2000 }, (_, i) => `${JSON.stringify({ i, text: "t".repeat(300) })}\n`);
    const { uploadToken } = (await on.admin("/api/import/start_upload")).body as { uploadToken: string };
    const path = `/api/import/upload_part?uploadToken=${uploadToken}&partNumber=1`;
    await on.disk.fill();
    expect(await on.admin(path, MEGABYTE)).toMatchObject(refused);
    expect((await stat(on.disk.file(`imports/${uploadToken}`))).size).toBe(0);
    await on.disk.makeRoom();

    const importRows = async (token: string) => {
      const partToken = (await on.admin(`${path.replace(uploadToken, token)}`, rows.join(""))).body;
      const answer = await on.admin("/api/import/finish_upload", {
        uploadToken: token,
        partTokens: [partToken],
        import: { tableName: "imported", mode: "replace", format: "jsonLines" },
      });
      return (answer.body as { importId: string }).importId;
    };
    const reaches = (importId: string, state: object) =>
      vi.waitFor(
        async () => expect(await on.system("queryImport", { importId })).toMatchObject({ state }),
        5_000,
      );
    const first = await importRows(uploadToken);
    await reaches(first, { state: "waiting_for_confirmation" });
    await on.disk.fill();
    await on.admin("/api/perform_import", { importId: first });
    await on.refusals(2);
    await on.disk.makeRoom();
    await reaches(first, { state: "failed", error_message: `Hit an error while importing:\n${REFUSED}` });

    const token = ((await on.admin("/api/import/start_upload")).body as { uploadToken: string }).uploadToken;
    const second = await importRows(token);
    await reaches(second, { state: "waiting_for_confirmation" });
    await on.admin("/api/perform_import", { importId: second });
    await reaches(second, { state: "completed" });
    expect(await on.folder("imports")).toEqual([]);
    await on.close();
  });
});
