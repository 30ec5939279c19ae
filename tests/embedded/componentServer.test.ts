/** Components of a whole server: live queries, HTTP routes, files, and what is left after a kill. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import type { Value } from "convex/values";
import { beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { newDataFolder, startServer, type TestServer } from "../temporaryServer";

const COMPONENT_APP = fileURLToPath(new URL("./componentApp", import.meta.url));

const ask = makeFunctionReference<"query", { name: string; args: Record<string, Value> }, Value>(
  "functions:ask",
);
const change = makeFunctionReference<"mutation", { name: string; args: Record<string, Value> }, Value>(
  "functions:change",
);
const act = makeFunctionReference<"action", { kind: string; name: string; args: Record<string, Value> }>(
  "functions:act",
);

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ appFolder: COMPONENT_APP });
});

test("a live query that reads through a component is run again when that writes, and not when another does", async () => {
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  const seen: unknown[] = [];
  let told = () => undefined as void;
  client.onUpdate(ask, { name: "second.entries.texts", args: {} }, (texts) => {
    seen.push((texts as string[]).filter((text) => text !== "tick"));
    told();
  });
  const until = async (texts: string[]) => {
    while (JSON.stringify(seen.at(-1)) !== JSON.stringify(texts)) {
      await new Promise<void>((resolve) => (told = resolve));
    }
  };
  await until([]);
  await client.mutation(change, { name: "ledger.entries.add", args: { text: "elsewhere" } });
  await client.mutation(change, { name: "second.entries.add", args: { text: "here" } });
  await until(["here"]);
  expect(new Set(seen.map((texts) => JSON.stringify(texts)))).toEqual(new Set(["[]", '["here"]']));
  await client.close();
});

test("a client may not name a component, nor its functions by any path", async () => {
  const body = { componentPath: "ledger", path: "entries:texts", args: {} };
  const post = (route: string, authorization?: string) =>
    fetch(`${server.url}${route}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      body: JSON.stringify(body),
    });
  expect((await post("/api/function")).status).toBe(403);
  expect(await (await post("/api/query")).json()).toMatchObject({
    status: "error",
    errorMessage: expect.stringContaining("Could not find public function"),
  });
  const admin = `Convex ${server.adminKey}`;
  expect(await (await post("/api/function", admin)).json()).toMatchObject({ status: "success" });
  body.componentPath = "ledger/none";
  expect(await (await post("/api/function", admin)).json()).toMatchObject({ status: "error" });
});

test("a component's routes are under its prefix, behind the app's own exact ones", async () => {
  const get = async (route: string) => (await fetch(`${server.siteUrl}${route}`)).text();
  expect(await get("/own")).toBe("the app");
  expect(await get("/ledger/own")).toBe("the app, exactly");
  expect(await get("/ledger/echo/a/b")).toBe("/ledger/echo/a/b");
  expect(JSON.parse(await get("/ledger/texts"))).toMatchObject({ identity: null });
  expect(await get("/ledger/none")).toBe("No matching routes found");
  expect(await get("/second/texts")).toBe("No matching routes found");
  expect(await get("/texts")).toBe("No matching routes found");
});

test("a component's upload URL takes files for that component", async () => {
  const client = new ConvexHttpClient(server.url, { logger: false });
  const stored = (await client.action(act, {
    kind: "action",
    name: "ledger.jobs.store",
    args: { text: "content" },
  })) as { id: string; url: string; upload: string };
  expect(await (await fetch(stored.url)).text()).toBe("content");
  const forOther = stored.upload.replace(/ledger$/, "second");
  expect((await fetch(forOther, { method: "POST", body: "x" })).status).toBe(401);
  const response = await fetch(stored.upload, { method: "POST", body: "uploaded" });
  const { storageId } = (await response.json()) as { storageId: string };
  expect(await client.query(ask, { name: "ledger.jobs.files", args: {} })).toEqual([stored.id, storageId]);
  expect(await client.query(ask, { name: "second.jobs.urlOf", args: { id: storageId } })).toBeNull();
  expect(server.faults).toEqual([]);
});

test("what a component has answered for, and what it has scheduled, outlives a kill", async () => {
  const data = await newDataFolder();
  const script = fileURLToPath(new URL("./schedulerServer.ts", import.meta.url));
  const start = async (): Promise<{ child: ChildProcess; client: ConvexHttpClient }> => {
    const child = spawn(process.execPath, ["--import", "tsx", script, COMPONENT_APP, data], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    return { child, client: new ConvexHttpClient(line.toString().trim(), { logger: false }) };
  };
  const before = await start();
  const handle = (await before.client.query(makeFunctionReference<"query">("functions:handle"), {
    name: "ledger.entries.add",
  })) as string;
  await before.client.mutation(change, { name: handle, args: { text: "by handle" } });
  const args = { text: "later", delayMs: 1_000 };
  const job = await before.client.mutation(change, { name: "ledger.jobs.later", args });
  before.child.kill("SIGKILL");
  await once(before.child, "exit");

  const after = await start();
  try {
    await after.client.mutation(change, { name: handle, args: { text: "again" } });
    await expect
      .poll(() => after.client.query(ask, { name: "ledger.jobs.get", args: { id: job } }), {
        timeout: 10_000,
      })
      .toMatchObject({ state: { kind: "success" } });
    const texts = (await after.client.query(ask, { name: "ledger.entries.texts", args: {} })) as string[];
    expect(texts.filter((text) => text !== "tick").toSorted()).toEqual(["again", "by handle", "later"]);
  } finally {
    after.child.kill("SIGKILL");
    await once(after.child, "exit");
  }
});
