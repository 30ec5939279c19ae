/** Clients that connect while others keep the server busy. */
import { Agent, get } from "node:http";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { childEnvironment, request, TestProcess } from "../e2e/server";
import { newDataFolder } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";

const SERVER = fileURLToPath(new URL("./schedulerServer.ts", import.meta.url));
const CALLERS = 16;
/** Of a call that takes a few ms. */
const ROUNDS = 5_000_000;
const NEWCOMERS = 100;

/** Asks for a little thing on a connection of its own. */
function version(url: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(`${url}/version`, { agent: new Agent() }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    }).on("error", reject);
  });
}

test("are let in together, not one after each batch of the others' calls", async () => {
  const args = ["--import", import.meta.resolve("tsx"), SERVER, FIXTURE_APP, await newDataFolder()];
  const server = new TestProcess(process.execPath, args, { cwd: "/", env: childEnvironment() });
  const [url = ""] = await server.line(/^http:\S+$/);
  const body = { path: "load:compute", args: { rounds: ROUNDS } };
  let answered = 0;
  const call = async () => {
    expect(await request(`${url}/api/query`, { body })).toMatchObject({ body: { status: "success" } });
    answered++;
  };
  const eachCalls = (goesOn: (calls: number) => boolean) => {
    const caller = async () => {
      for (let calls = 0; goesOn(calls); calls++) await call();
    };
    return Promise.all(Array.from({ length: CALLERS }, caller));
  };
  // Until the server is warm, and all callers have their connections.
  await eachCalls((calls) => calls < 5);

  let isOver = false;
  const busy = eachCalls(() => !isOver);
  await call();
  const before = answered;
  const statuses = await Promise.all(Array.from({ length: NEWCOMERS }, () => version(url)));
  const meanwhile = answered - before;
  isOver = true;
  await busy;
  expect(new Set(statuses)).toEqual(new Set([200]));
  // The event loop accepts one connection a turn: with a batch in each turn there were more calls than newcomers.
  expect(meanwhile).toBeLessThan(NEWCOMERS / 2);
  await server.kill();
});
