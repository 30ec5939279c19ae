/** As many clients as this machine lets a test open, all of them idle, and what they cost. */
import { execFileSync } from "node:child_process";
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { expect, test } from "vitest";
import { forkScript, MeasuredServer, nextMessage } from "./measured";

const add = makeFunctionReference<"mutation", { author: string; text: string }, string>("notes:add");

const WANTED = 10_000;
const PROCESSES = 2;
/** Files that the server has open besides its sockets, with room to spare. */
const OTHER_FILES = 200;
/** Twice what is measured. */
const MAX_BYTES_PER_SOCKET = 16_000;
const MEGABYTE = 1024 * 1024;

/** How many files one process may open: Node takes what the system allows at most. */
function openFiles(): number {
  const limit = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return limit === "unlimited" ? Infinity : Number(limit);
}

test("10,000 idle sockets cost little memory, none of them is forgotten, and it is all given back", async () => {
  const sockets = Math.min(WANTED, openFiles() - OTHER_FILES);
  const server = await MeasuredServer.start();
  const before = await server.measure();
  const clients = Array.from({ length: PROCESSES }, () =>
    forkScript("idleClients.ts", [server.url, String(Math.floor(sockets / PROCESSES))]),
  );
  const counts = await Promise.all(clients.map((client) => nextMessage<number>(client)));
  const open = counts.reduce((a, b) => a + b);
  const idle = await server.measure();
  const bytesPerSocket = Math.round((idle.heapBytes - before.heapBytes) / open);
  const residentPerSocket = Math.round((idle.residentBytes - before.residentBytes) / open);
  console.info(
    `${open} idle sockets of ${WANTED} wanted: ${bytesPerSocket} bytes each (process: ${residentPerSocket})`,
  );
  expect(open).toBeGreaterThan(sockets - PROCESSES);
  expect(bytesPerSocket).toBeLessThan(MAX_BYTES_PER_SOCKET);

  const told = Promise.all(clients.map((client) => nextMessage<number>(client)));
  await new ConvexHttpClient(server.url, { logger: false }).mutation(add, { author: "idle", text: "hello" });
  expect(await told).toEqual(counts);
  for (const client of clients) client.kill("SIGKILL");
  await server.shrinksTo(before.heapBytes + 20 * MEGABYTE);
  expect((await server.measure()).faults).toBe(0);
}, 120_000);
