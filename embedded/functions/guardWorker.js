// @ts-check
/*
 * Runs in a worker: ends what runs in the main thread for too long. See watchdog.ts, which reads this file as text.
 */
const { Session } = require("node:inspector");
const { parentPort, workerData } = require("node:worker_threads");

const LOOK_EVERY_MS = 50;

/** @type {Int32Array} see `SHARED` in watchdog.ts */
const shared = workerData.memory;
const { TURN, TIMEOUT, VERDICT, PENDING, DOOMED, POSTED } = workerData.SHARED;

let seen = 0;
let seenAt = 0;
let asked = 0;

setInterval(() => {
  const turn = Atomics.load(shared, TURN);
  if (turn !== seen) {
    seen = turn;
    seenAt = performance.now();
  }
  const timeoutMs = Atomics.load(shared, TIMEOUT);
  if (turn % 2 === 0 || turn === asked || performance.now() - seenAt < timeoutMs) return;
  asked = turn;
  endWork(turn);
}, LOOK_EVERY_MS);

/** @param {number} turn */
function endWork(turn) {
  // For this alone: a process whose inspector is in use says so when it ends.
  const session = new Session();
  session.connectToMainThread();
  const expression = `globalThis[Symbol.for("convex-embedded.doom")](${turn})`;
  Atomics.store(shared, VERDICT, PENDING);
  session.post("Runtime.evaluate", { expression });
  Atomics.wait(shared, VERDICT, PENDING);
  if (Atomics.load(shared, VERDICT) !== DOOMED) return session.disconnect();
  session.post("Runtime.terminateExecution", () => {
    session.disconnect();
    parentPort?.postMessage(turn);
  });
  // The main thread waits for this, so that it runs nothing more before it is ended.
  Atomics.store(shared, VERDICT, POSTED);
  Atomics.notify(shared, VERDICT);
}

parentPort?.postMessage("ready");
