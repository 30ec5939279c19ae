import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference, type FunctionReference } from "convex/server";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { beforeAll, expect, test, vi } from "vitest";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";

let dataFolder: string;
let server: TestServer;
let client: ConvexHttpClient;

const start = () => startServer({ appFolder: FIXTURE_APP, dataFolder });

beforeAll(async () => {
  dataFolder = await newDataFolder();
  server = await start();
  client = new ConvexHttpClient(server.url, { logger: false });
});

const reference = <Kind extends "query" | "mutation" | "action">(name: string) =>
  makeFunctionReference<Kind>(`files:${name}`) as FunctionReference<
    Kind,
    "public",
    Record<string, string | boolean>
  >;
const query = <T>(name: string, args = {}) => client.query(reference<"query">(name), args) as Promise<T>;
const mutation = <T>(name: string, args = {}) =>
  client.mutation(reference<"mutation">(name), args) as Promise<T>;
const action = <T>(name: string, args = {}) => client.action(reference<"action">(name), args) as Promise<T>;

async function upload(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(await mutation<string>("uploadUrl"), { method: "POST", body, headers });
}

async function uploaded(text: string): Promise<{ id: string; url: string }> {
  const response = await upload(text, { "Content-Type": "text/plain" });
  const { storageId } = (await response.json()) as { storageId: string };
  return { id: storageId, url: await query<string>("url", { id: storageId }) };
}

const blobs = () => readdir(path.join(dataFolder, "files"));

test("what is uploaded is served as it was, with its type and digest", async () => {
  const { id, url } = await uploaded("hello files");
  const response = await fetch(url);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain");
  const digest = createHash("sha256").update("hello files");
  expect(response.headers.get("digest")).toBe(`sha-256=${digest.copy().digest("base64")}`);
  expect(await response.text()).toBe("hello files");
  expect(await query("metadata", { id })).toEqual([
    { storageId: id, size: 11, contentType: "text/plain", sha256: digest.copy().digest("hex") },
    {
      _id: id,
      _creationTime: expect.any(Number) as number,
      size: 11,
      contentType: "text/plain",
      sha256: digest.digest("base64"),
    },
  ]);
});

test.each([
  ["bytes=0-4", 206, "hello", "bytes 0-4/11"],
  ["bytes=6-", 206, "files", "bytes 6-10/11"],
  ["bytes=-5", 206, "files", "bytes 6-10/11"],
  ["bytes=6-900", 206, "files", "bytes 6-10/11"],
  ["bytes=11-", 416, "", "bytes */11"],
  ["bytes=5-2", 416, "", "bytes */11"],
  ["bytes=0-1,3-4", 416, "", "bytes */11"],
  ["lines=1-2", 416, "", "bytes */11"],
])("the range %s is answered with %i and %j", async (range, status, text, contentRange) => {
  const { url } = await uploaded("hello files");
  const response = await fetch(url, { headers: { Range: range } });
  expect([response.status, await response.text(), response.headers.get("content-range")]).toEqual([
    status,
    text,
    contentRange,
  ]);
});

test("actions store and read files", async () => {
  const id = await action<string>("storeText", { text: "from an action" });
  expect(await action("readText", { id })).toEqual({
    text: "from an action",
    type: "text/plain",
    sameUrl: true,
  });
});

test("mutations store and read files", async () => {
  const { id, read } = await mutation<{ id: string; read: string }>("storeInMutation", { text: "kept" });
  expect(read).toBe("kept!");
  const response = await fetch(await query<string>("url", { id }));
  expect([await response.text(), response.headers.get("content-type")]).toEqual(["kept!", "text/plain"]);
  const { id: other } = await uploaded("hello files");
  expect(await mutation("readInMutation", { id: other })).toEqual({
    type: "text/plain",
    size: 11,
    start: "hell",
  });
  await mutation("remove", { id: other });
  expect(await mutation("readInMutation", { id: other })).toBeNull();
});

test("the content of files counts among the bytes that a mutation may read and write", async () => {
  type Charged = { written: number; read: number };
  const small = await mutation<Charged>("charged", { text: "x".repeat(100_000) });
  const large = await mutation<Charged>("charged", { text: "x".repeat(200_000) });
  expect(large.written - small.written).toBe(100_000);
  expect(large.read - small.read).toBe(100_000);
});

test("what a mutation has stored is gone when it fails, its content too", async () => {
  const before = await query<unknown[]>("list");
  const files = await blobs();
  await expect(mutation("storeInMutation", { text: "x", fail: true })).rejects.toThrow("changed my mind");
  await expect(mutation("storeInMutation", { text: "x", sha256: "00" })).rejects.toThrow("SHA-256");
  await mutation("storeNested", { text: "x" });
  expect(await query("list")).toEqual(before);
  await expect.poll(blobs).toEqual(files);
});

test("a deleted file is gone, its content too; a mutation that fails deletes nothing", async () => {
  const { id, url } = await uploaded("short-lived");
  const name = path.basename(new URL(url).pathname);
  await expect(mutation("removeAndFail", { id })).rejects.toThrow("changed my mind");
  expect(await (await fetch(url)).text()).toBe("short-lived");
  await mutation("remove", { id });
  expect((await fetch(url)).status).toBe(404);
  expect(await query("url", { id })).toBeNull();
  await expect(mutation("remove", { id })).rejects.toThrow("not found");
  await expect.poll(blobs).not.toContain(name);
});

test("an upload needs a URL that is ours and still good, and the content that its digest says", async () => {
  const good = await mutation<string>("uploadUrl");
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 60 * 60 * 1000 });
  const expired = await mutation<string>("uploadUrl");
  vi.useRealTimers();
  const prolonged = expired.replace(/token=\d+/, `token=${Date.now() + 60_000}`);
  for (const url of [expired, prolonged, `${good}x`, `${server.url}/api/storage/upload`]) {
    expect((await fetch(url, { method: "POST", body: "x" })).status).toBe(401);
  }
  const digest = createHash("sha256").update("other").digest("base64");
  expect((await upload("content", { Digest: `sha-256=${digest}` })).status).toBe(400);
  expect((await upload("other", { Digest: `sha-256=${digest}` })).status).toBe(200);
});

test("no path leads out of the folder of files", async () => {
  for (const name of ["..%2fadmin-key", "admin-key", "00000000-0000-0000-0000-000000000000", "%00"]) {
    expect([400, 404]).toContain((await fetch(`${server.url}/api/storage/${name}`)).status);
  }
});

test("an upload that breaks off leaves nothing behind", async () => {
  const before = (await query<unknown[]>("list")).length;
  const files = await blobs();
  const { hostname, port, pathname, search } = new URL(await mutation<string>("uploadUrl"));
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(
    `POST ${pathname}${search} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nonly the beginning`,
  );
  await expect.poll(async () => (await blobs()).length).toBe(files.length + 1);
  socket.destroy();
  await expect.poll(blobs).toEqual(files);
  expect((await query<unknown[]>("list")).length).toBe(before);
});

test("files outlive a restart; what a crash has left half-written or without a document does not", async () => {
  const { id } = await uploaded("kept");
  const folderOfFiles = path.join(dataFolder, "files");
  await server.close();
  await writeFile(path.join(folderOfFiles, `${crypto.randomUUID()}.part`), "half");
  await writeFile(path.join(folderOfFiles, crypto.randomUUID()), "nobody's");
  server = await start();
  client = new ConvexHttpClient(server.url, { logger: false });
  const url = await query<string>("url", { id });
  expect(await (await fetch(url)).text()).toBe("kept");
  expect((await blobs()).length).toBe((await query<unknown[]>("list")).length);
});

test("a start goes on with what others have put into the folder of files, and leaves that there", async () => {
  const { id } = await uploaded("kept");
  const folderOfFiles = path.join(dataFolder, "files");
  await server.close();
  await writeFile(path.join(folderOfFiles, ".DS_Store"), "theirs");
  await mkdir(path.join(folderOfFiles, "lost+found"));
  server = await start();
  client = new ConvexHttpClient(server.url, { logger: false });
  const url = await query<string>("url", { id });
  expect(await (await fetch(url)).text()).toBe("kept");
  expect(await blobs()).toEqual(expect.arrayContaining([".DS_Store", "lost+found"]));
});
