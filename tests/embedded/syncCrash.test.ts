/** Clients that stay connected over kills of the server: what they send again runs once, and what they are shown never goes back. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ConvexClient, ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { JobState } from "../../embedded/functions/scheduledJobs";
import { FIXTURE_APP } from "./harness";

type Outcome = { jobs: { name: string; state: JobState }[]; traces: string[] };

const record = makeFunctionReference<"mutation", { name: string }>("load:record");
const byAuthor = makeFunctionReference<"query", { author: string }, string[]>("notes:byAuthor");
const outcome = makeFunctionReference<"query", Record<string, never>, Outcome>("load:outcome");
const unfinished = makeFunctionReference<"query", Record<string, never>, number>("load:unfinished");

const KILLS = 2;
const CLIENTS = 3;
/** Mutations that a client has under way at a time. */
const AT_ONCE = 4;

let folder: string;
let server: ChildProcess;
const clients: ConvexClient[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sync-crash-"));
});

afterAll(async () => {
  for (const client of clients) await client.close();
  server.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Starts the server, again on the port that it had, and gives its address. */
async function spawnServer(port = "0"): Promise<string> {
  const script = new URL("./schedulerServer.ts", import.meta.url).pathname;
  const dataFolder = path.join(folder, "data");
  server = spawn(process.execPath, ["--import", "tsx", script, FIXTURE_APP, dataFolder, port], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return line.toString().trim();
}

function connect(url: string): ConvexClient {
  const client = new ConvexClient(url, { webSocketConstructor: WebSocket as never, logger: false });
  clients.push(client);
  return client;
}

test("kill -9 under load of clients and scheduler: each mutation that a client sends has run exactly once", async () => {
  const url = await spawnServer();
  const { port } = new URL(url);
  const sent: string[] = [];
  const steppedBack: string[] = [];
  let answers = 0;
  let onAnswer = () => undefined as void;
  let isOver = false;

  const watch = (client: ConvexClient) => {
    let shown: readonly string[] = [];
    client.onUpdate(byAuthor, { author: "sync" }, (texts) => {
      const there = new Set(texts);
      steppedBack.push(...shown.filter((text) => !there.has(text)));
      shown = texts;
    });
  };
  const send = async (client: ConvexClient, prefix: string) => {
    for (let i = 0; !isOver; i++) {
      const name = `${prefix}.${i}`;
      sent.push(name);
      await client.mutation(record, { name });
      answers++;
      onAnswer();
    }
  };
  const senders: Promise<void>[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = connect(url);
    watch(client);
    for (let k = 0; k < AT_ONCE; k++) senders.push(send(client, `${i}.${k}`));
  }

  for (let kill = 0; kill < KILLS; kill++) {
    const killAt = answers + 5 + Math.floor(Math.random() * 60);
    await new Promise<void>((resolve) => {
      onAnswer = () => {
        if (answers >= killAt) resolve();
      };
    });
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
    await spawnServer(port);
  }
  isOver = true;
  await Promise.all(senders);

  const reader = connect(url);
  await new Promise<void>((resolve) => {
    reader.onUpdate(unfinished, {}, (count) => {
      if (count === 0) resolve();
    });
  });
  const http = new ConvexHttpClient(url, { logger: false });
  const recorded = await http.query(byAuthor, { author: "sync" });
  expect([...recorded].sort()).toEqual([...sent].sort());
  expect(steppedBack).toEqual([]);

  const { jobs, traces } = await http.query(outcome, {});
  const runs = new Map<string, number>();
  for (const trace of traces) runs.set(trace, (runs.get(trace) ?? 0) + 1);
  expect(jobs).toHaveLength(2 * sent.length);
  const wrong = jobs.filter(({ name, state }) => {
    const times = runs.get(name) ?? 0;
    return name.startsWith("action") && state.kind === "failed" ? times > 1 : times !== 1;
  });
  expect(wrong).toEqual([]);
}, 120_000);
