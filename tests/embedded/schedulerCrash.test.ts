/** No kill makes a scheduled mutation run twice or not at all, nor an action twice. */
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

const start = makeFunctionReference<"mutation", { names: string[] }>("load:start");
const outcome = makeFunctionReference<"query", Record<string, never>, Outcome>("load:outcome");
const unfinished = makeFunctionReference<"query", Record<string, never>, number>("load:unfinished");

const KILLS = 3;
const NAMES_AT_ONCE = 5;

let folder: string;
let server: ChildProcess;
const answered: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "scheduler-"));
});

afterAll(async () => {
  server.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Starts the server and gives its address. */
async function spawnServer(): Promise<string> {
  const script = new URL("./schedulerServer.ts", import.meta.url).pathname;
  server = spawn(process.execPath, ["--import", "tsx", script, FIXTURE_APP, path.join(folder, "data")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return line.toString().trim();
}

/** Schedules functions until the server is killed, which it is after a few answers, with others still running. */
async function scheduleUntilKilled(url: string, round: number): Promise<void> {
  const client = new ConvexHttpClient(url, { logger: false });
  const answersUntilKill = 1 + Math.floor(Math.random() * 20);
  const ended = once(server, "exit");
  let killed = false;
  let answers = 0;
  let next = 0;
  const caller = async () => {
    while (!killed) {
      const names = Array.from({ length: NAMES_AT_ONCE }, () => `${round}.${next++}`);
      try {
        await client.mutation(start, { names });
      } catch (error) {
        if (killed) return;
        throw error;
      }
      answered.push(...names);
      if (++answers === answersUntilKill) {
        killed = true;
        server.kill("SIGKILL");
      }
    }
  };
  await Promise.all([caller(), caller(), caller()]);
  await ended;
}

/** Resolves when nothing is scheduled any more and nothing runs. */
async function allDone(url: string): Promise<void> {
  const client = new ConvexClient(url, { webSocketConstructor: WebSocket as never, logger: false });
  await new Promise<void>((resolve) => {
    client.onUpdate(unfinished, {}, (count) => {
      if (count === 0) resolve();
    });
  });
  await client.close();
}

test("kill -9 under load: each scheduled mutation has run exactly once, each action at most once", async () => {
  for (let round = 0; round < KILLS; round++) await scheduleUntilKilled(await spawnServer(), round);
  const url = await spawnServer();
  await allDone(url);
  const { jobs, traces } = await new ConvexHttpClient(url, { logger: false }).query(outcome, {});
  const runs = new Map<string, number>();
  for (const trace of traces) runs.set(trace, (runs.get(trace) ?? 0) + 1);
  const states = new Map(jobs.map(({ name, state }) => [name, state]));
  const wrong: string[] = [];
  for (const name of answered) {
    for (const kind of ["mutation", "action"]) {
      if (!states.has(`${kind} ${name}`)) wrong.push(`${kind} ${name} was lost`);
    }
  }
  for (const [name, state] of states) {
    const times = runs.get(name) ?? 0;
    const cutOff = state.kind === "failed" && state.error === "Transient error while executing action";
    if (name.startsWith("action") && cutOff ? times > 1 : times !== 1 || state.kind !== "success")
      wrong.push(`${name}: ${JSON.stringify(state)}, ran ${times} times`);
  }
  for (const name of runs.keys()) if (!states.has(name)) wrong.push(`${name} ran, but was not scheduled`);
  expect(wrong).toEqual([]);
  expect(answered.length).toBeGreaterThan(0);
  // The kills have met actions that ran: else this shows nothing.
  expect([...states.values()].some(({ kind }) => kind === "failed")).toBe(true);
});
