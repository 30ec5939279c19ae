/** Starting and stopping: what is kept, and how a start that can't be is refused. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, cp, mkdir, open, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { connect as connectTo, createServer as createTcpServer, type AddressInfo } from "node:net";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { StartError, type ServerOptions } from "../../embedded/index";
import { copyApp, edit } from "./appCopy";
import {
  call,
  getMeeting,
  newDataFolder,
  newMeeting,
  request,
  run,
  signIn,
  signInAll,
  spawnServer,
  spawnStart,
  startServer,
  temporaryFolder,
  tokenFor,
  valueOf,
  type SpawnOptions,
} from "./server";

/** A data folder with a user and a meeting, whose server has been stopped. */
let keptFolder: string;

beforeAll(async () => {
  const server = await startServer();
  const host = await signIn(server, "host");
  await newMeeting(server, host, { title: "Kept" });
  await server.close();
  keptFolder = server.dataFolder;
});

async function copyOfKept(): Promise<string> {
  const folder = await newDataFolder();
  await cp(keptFolder, folder, { recursive: true });
  return folder;
}

/** Every file of a folder with the digest of its content. LMDB's lock file holds nothing that lasts. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile() && each.name !== "data.mdb-lock")) {
    const file = path.join(entry.parentPath, entry.name);
    found[path.relative(folder, file)] = createHash("sha256")
      .update(await readFile(file))
      .digest("hex");
  }
  return found;
}

/** The line with which a start is refused, once it has been checked that the folder is as it was. */
async function refusal(options: Partial<ServerOptions> & { dataFolder: string }): Promise<string> {
  const before = await contents(options.dataFolder);
  // Another admin key would show if any of it were written.
  const error: unknown = await startServer({ adminKey: "embedded|another", ...options }).then(
    () => new Error("It started"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StartError) || error.message.includes("\n")) throw error;
  expect(await contents(options.dataFolder)).toEqual(before);
  return error.message;
}

/** The same of the command, which prints that line alone and ends with 1. */
async function commandRefusal(options: SpawnOptions & { dataFolder: string }): Promise<string> {
  const before = await contents(options.dataFolder);
  const args = ["--admin-key", "embedded|another", ...(options.args ?? [])];
  const { code, stdout, stderr } = await (await spawnStart({ ...options, args })).ended;
  const lines = stderr.trimEnd().split("\n");
  if (code !== 1 || stdout !== "" || lines.length !== 1) throw new Error(`${code}: ${stdout}${stderr}`);
  expect(await contents(options.dataFolder)).toEqual(before);
  return stderr.trimEnd();
}

describe("a first start", () => {
  test("on a folder that is not there makes it, and answers", async () => {
    const dataFolder = path.join(await temporaryFolder(), "some", "where", "new");
    const server = await startServer({ dataFolder });
    expect((await request(`${server.url}/version`)).status).toBe(200);
    expect((await request(`${server.siteUrl}/health`)).body).toEqual({ status: "ok" });
    expect(server.adminKey).toMatch(/^embedded\|[0-9a-f]{64}$/);
  });

  test("makes secrets that only their owner may read", async () => {
    for (const file of ["admin-key", "development-issuer.json"]) {
      expect((await stat(path.join(keptFolder, file))).mode & 0o077).toBe(0);
    }
  });

  test("binds to this machine alone", async () => {
    const server = await startServer();
    expect(new URL(server.url).hostname).toBe("127.0.0.1");
    expect(new URL(server.siteUrl).hostname).toBe("127.0.0.1");
  });

  test("of two deployments gives each keys and tokens of its own", async () => {
    const [one, two] = await Promise.all([startServer(), startServer()]);
    expect(one.adminKey).not.toBe(two.adminKey);
    const token = await tokenFor(one, "host@example.com");
    expect((await run(one.siteUrl, "users/queries/getCurrentUser", {}, token)).status).toBe(200);
    expect((await run(two.siteUrl, "users/queries/getCurrentUser", {}, token)).status).toBe(401);
  });
});

describe("a restart", () => {
  test("keeps users, meetings, ids, the admin key and tokens that were given out", async () => {
    const first = await startServer();
    const host = await signIn(first, "host");
    const meetingId = await newMeeting(first, host, { title: "Kept" });
    await first.close();

    const second = await startServer({ dataFolder: first.dataFolder });
    expect(second.adminKey).toBe(first.adminKey);
    expect(await getMeeting(second, host, meetingId)).toMatchObject({ title: "Kept", participantCount: 1 });
    expect((await signIn(second, "host")).userId).toBe(host.userId);
  });

  test("continues a page where it was", async () => {
    const first = await startServer();
    const host = await signIn(first, "host");
    const meetingId = await newMeeting(first, host);
    const participants = (await signInAll(first, 5)).map(({ userId }) => ({ userId, role: "observer" }));
    await call(first, host.token, "meetings/lifecycle/addMultipleParticipants", { meetingId, participants });
    type Page = { page: { userId: string }[]; continueCursor: string };
    const list = (server: typeof first, cursor: string | null) =>
      call<Page>(server, host.token, "meetings/queries/listMeetingParticipants", {
        meetingId,
        paginationOpts: { numItems: 3, cursor },
      });
    const before = await list(first, null);
    await first.close();
    const second = await startServer({ dataFolder: first.dataFolder });
    const after = await list(second, before.continueCursor);
    const seen = [...before.page, ...after.page].map(({ userId }) => userId);
    expect(new Set(seen).size).toBe(6);
  });

  test("with another admin key keeps that one from then on", async () => {
    const dataFolder = await copyOfKept();
    const given = await startServer({ dataFolder, adminKey: "embedded|mine" });
    expect(given.adminKey).toBe("embedded|mine");
    await given.close();
    const next = await startServer({ dataFolder });
    expect(next.adminKey).toBe("embedded|mine");
  });

  test("is possible at once after the server has been stopped, and after it was killed", async () => {
    const dataFolder = await copyOfKept();
    const killed = await spawnServer({ dataFolder });
    await killed.process.kill();
    const stopped = await spawnServer({ dataFolder });
    await stopped.close();
    expect(await stopped.process.ended).toMatchObject({ code: 0, stderr: "" });
    const server = await startServer({ dataFolder });
    const host = await signIn(server, "host");
    expect(await call(server, host.token, "meetings/queries/listUserMeetings", {})).toMatchObject([
      { title: "Kept" },
    ]);
  });

  test("takes in a new index and fills it", async () => {
    const dataFolder = await copyOfKept();
    const appFolder = await copyApp();
    await edit(
      appFolder,
      "schema.ts",
      "defineTable(tableFields(meetingFields))",
      'defineTable(tableFields(meetingFields)).index("by_title", ["title"])',
    );
    await writeFile(
      path.join(appFolder, "titles.ts"),
      `import { query } from "./_generated/server";
       export const find = query({ args: {}, handler: (ctx) =>
         ctx.db.query("meetings").withIndex("by_title", (q) => q.eq("title", "Kept")).collect() });`,
    );
    const server = await startServer({ dataFolder, appFolder });
    const answer = await run(server.url, "titles/find", {});
    expect(valueOf<object[]>(answer)).toMatchObject([{ title: "Kept" }]);
  });
});

describe("a start that can't be is refused in one line, and the folder is as it was", () => {
  test("when the folder holds something else", async () => {
    const dataFolder = await temporaryFolder();
    await writeFile(path.join(dataFolder, "thesis.txt"), "irreplaceable");
    expect(await refusal({ dataFolder })).toContain("is not empty and was not made by this server");
  });

  test("when the folder is a file", async () => {
    const dataFolder = path.join(await temporaryFolder(), "file");
    await writeFile(dataFolder, "a file");
    const failing = startServer({ dataFolder });
    await expect(failing).rejects.toThrow(StartError);
    await expect(failing).rejects.toThrow("is not a directory");
  });

  test("when the folder is this very process's already", async () => {
    const { dataFolder } = await startServer();
    expect(await refusal({ dataFolder })).toContain(`is in use by process ${process.pid}`);
  });

  test.each([
    ["begins with other bytes", 0, 7],
    ["has lost its second page", 1, 0],
  ])("when the database file %s", async (_what, page, byte) => {
    const dataFolder = await copyOfKept();
    const database = path.join(dataFolder, "data.mdb");
    // Where LMDB says how large its pages are.
    const pageBytes = (await readFile(database)).readUInt32LE(48);
    const file = await open(database, "r+");
    await file.write(Buffer.alloc(pageBytes, byte), 0, pageBytes, page * pageBytes);
    await file.close();
    expect(await refusal({ dataFolder })).toMatch(/data\.mdb .*restore the folder from a backup/);
  });

  test("when the log is damaged", async () => {
    const dataFolder = await copyOfKept();
    await writeFile(path.join(dataFolder, "log-0000000000000001"), Buffer.alloc(100, 7));
    expect(await refusal({ dataFolder })).toMatch(/log-\d+ is damaged .*restore the folder from a backup/);
  });

  test("when the database file is cut off", async () => {
    const dataFolder = await copyOfKept();
    await truncate(path.join(dataFolder, "data.mdb"), 3 * 4096);
    expect(await refusal({ dataFolder })).toMatch(/data\.mdb .*restore the folder from a backup/);
  });

  test.each([
    ["development-issuer.json", "{"],
    ["development-issuer.json", ""],
    ["development-issuer.json", '{"privateKey": {"kty": "RSA", "n": "x", "e": "AQAB", "kid": "x"}}'],
    ["admin-key", ""],
    ["admin-key", "\u0000\u0001 not a key \u00e9"],
    ["format.json", "{}"],
  ])("when %s holds %j", async (name, text) => {
    const dataFolder = await copyOfKept();
    await writeFile(path.join(dataFolder, name), text);
    const line = await refusal({ dataFolder });
    expect(line).toContain(path.join(dataFolder, name));
    expect(line).toMatch(/restore/i);
  });

  test.each(["", "a key", "a:b", "k\u00e9y"])("when the admin key is to be %j", async (adminKey) => {
    const line = await refusal({ dataFolder: await copyOfKept(), adminKey });
    expect(line).toContain("The admin key given can't be used");
  });

  test("when the address is not this machine's", async () => {
    const line = await refusal({ dataFolder: await copyOfKept(), host: "192.0.2.1" });
    expect(line).toContain("Choose another with --host.");
  });

  test.each(["port", "sitePort"])("when the %s is taken", async (name) => {
    const { port, release } = await takenPort();
    const line = await refusal({ dataFolder: await copyOfKept(), [name]: port });
    expect(line).toContain(`Port ${port} on 127.0.0.1 is taken.`);
    release();
  });

  test("when WorkOS is configured by half, or wrongly", async () => {
    const dataFolder = await copyOfKept();
    const half = await refusal({ dataFolder, environment: { WORKOS_CLIENT_ID: "client_1" } });
    expect(half).toMatch(/WORKOS_JWKS_URL .* Set it in the environment/);
    const environment = { WORKOS_CLIENT_ID: "client_1", WORKOS_JWKS_URL: "nonsense" };
    expect(await refusal({ dataFolder, environment })).toContain("'jwks' that is not a URL");
  });
});

async function takenPort(): Promise<{ port: number; release: () => void }> {
  const blocker = createTcpServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  return { port: (blocker.address() as AddressInfo).port, release: () => blocker.close() };
}

describe("an app that can't be loaded is refused in one line that names the file, and the data stays", () => {
  const refusalOf = async (change: (appFolder: string) => Promise<void>) => {
    const [appFolder, dataFolder] = [await copyApp(), await copyOfKept()];
    await change(appFolder);
    const line = await refusal({ appFolder, dataFolder });
    // The folder is free again.
    await (await startServer({ dataFolder })).close();
    return line;
  };
  const append = (file: string, code: string) => (app: string) => appendFile(path.join(app, file), code);

  test("for a syntax error", async () => {
    const line = await refusalOf(append("meetings/queries.ts", "export const ="));
    expect(line).toMatch(/convex\/meetings\/queries\.ts:\d+:\d+/);
  });

  test("for an import of nothing", async () => {
    const line = await refusalOf(append("lost.ts", 'import "./nowhere";'));
    expect(line).toMatch(/convex\/lost\.ts:1:\d+: .*nowhere/);
  });

  test("for a module that throws when it is loaded", async () => {
    const line = await refusalOf(append("users/queries.ts", '\nthrow new Error("not today");\n'));
    expect(line).toContain("users/queries");
    expect(line).toContain("not today");
  });

  test("for a schema that the stored documents do not fit", async () => {
    const line = await refusalOf(async (app) => {
      await edit(app, "schema.ts", "tableFields(meetingFields)", "{ title: v.number() }");
      await edit(
        app,
        "schema.ts",
        "import { tableFields }",
        'import { v } from "convex/values";\nimport { tableFields }',
      );
    });
    expect(line).toMatch(/Document with ID "\w+" in table "meetings" does not match the schema/);
    expect(line).toContain("nothing was written");
  });

  test("for a schema that is none", async () => {
    const line = await refusalOf((app) => writeFile(path.join(app, "schema.ts"), "export default 1;"));
    expect(line).toContain("schema");
  });

  test("for an auth.config that names a variable which is not set", async () => {
    const line = await refusalOf((app) =>
      edit(app, "auth.config.ts", "process.env.WORKOS_JWKS_URL", "process.env.NOT_SET"),
    );
    expect(line).toMatch(/NOT_SET .* Set it in the environment/);
  });

  test("for a folder that is not there", async () => {
    const appFolder = path.join(await temporaryFolder(), "convex");
    expect(await refusal({ appFolder, dataFolder: await copyOfKept() })).toContain(appFolder);
  });

  test("but a folder without functions is an app too", async () => {
    const appFolder = path.join(await temporaryFolder(), "convex");
    await mkdir(appFolder);
    const server = await startServer({ appFolder });
    expect(await request(`${server.siteUrl}/health`)).toMatchObject({
      status: 404,
      body: "This Convex deployment does not have HTTP actions enabled.",
    });
  });
});

describe.concurrent("the command prints that line alone and ends with 1", () => {
  test("when the folder is another process's, which goes on", async () => {
    const { url, process: running, dataFolder } = await spawnServer();
    expect(await commandRefusal({ dataFolder })).toContain("is in use by process");
    expect((await request(`${url}/version`)).status).toBe(200);
    await running.kill();
  });

  test("when a port is taken", async () => {
    const { port, release } = await takenPort();
    const line = await commandRefusal({ dataFolder: await copyOfKept(), args: ["--port", String(port)] });
    expect(line).toContain(`Port ${port} on 127.0.0.1 is taken.`);
    release();
  });

  test("when a key file is garbled", async () => {
    const dataFolder = await copyOfKept();
    await writeFile(path.join(dataFolder, "development-issuer.json"), "{");
    expect(await commandRefusal({ dataFolder })).toContain("it is not JSON. Restore it");
  });

  test.each([
    [["--port", "abc"], '--port must be a number from 0 to 65535, not "abc"'],
    [["--site-port", "65536"], '--site-port must be a number from 0 to 65535, not "65536"'],
  ])("when the flags are %j", async (args, message) => {
    expect(await commandRefusal({ dataFolder: await copyOfKept(), args })).toBe(message);
  });

  test("when a flag is unknown, but then with all that are known", async () => {
    const { code, stderr } = await (await spawnStart({ args: ["--prot", "1"] })).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Unknown option '--prot'\n/);
    expect(stderr).toContain("--port <number>");
  });
});

describe("stopping", () => {
  test("by SIGTERM answers every request that is under way", async () => {
    const server = await spawnServer();
    const host = await signIn(server, "host");
    const people = await signInAll(server, 200);
    const meetingId = await newMeeting(server, host, { meetingType: "webinar" });
    const participants = people.map(({ userId }) => ({ userId, role: "participant" }));
    let sent = 0;
    const requests = Array.from({ length: 20 }, async (_, i) => {
      sent++;
      const entries = participants.slice(i * 10, i * 10 + 10);
      const args = { meetingId, participants: entries };
      const answer = run(server.siteUrl, "meetings/lifecycle/addMultipleParticipants", args, host.token);
      if (sent === 20) {
        // All are on their way, and one has been answered: the server has seen them.
        await answer;
        server.process.signal("SIGTERM");
      }
      return answer;
    });
    const answers = await Promise.allSettled(requests);
    const ended = await server.process.ended;
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: "" });

    const answered = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const added = answered.flatMap((answer) => valueOf<{ added: string[] }>(answer).added);
    expect(added).toHaveLength(200);
    const next = await startServer({ dataFolder: server.dataFolder });
    expect((await getMeeting(next, host, meetingId)).participantCount).toBe(201);
  });

  test("does not wait for clients that say nothing, or never end what they say", async () => {
    const server = await startServer();
    const open = async (saying: string) => {
      const socket = connectTo(Number(new URL(server.url).port), "127.0.0.1");
      socket.on("error", () => undefined).resume();
      await once(socket, "connect");
      socket.write(saying);
      return socket;
    };
    const half =
      "POST /api/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n";
    const sockets = await Promise.all([
      open(""),
      open("GET /vers"),
      open(`${half}Expect: 100-continue\r\n\r\n`),
    ]);
    const [, , uploading] = sockets;
    // The server waits for the body of this one.
    expect(String(await once(uploading, "data"))).toContain("100 Continue");
    const closed = sockets.map((socket) => once(socket, "close"));
    const startedAt = performance.now();
    await server.close();
    await Promise.all(closed);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});
