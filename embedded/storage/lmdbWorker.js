// @ts-check
/*
 * Runs in a worker: brings generations of writes into the database, one at a time. See fillThread.ts.
 */
import { parentPort, workerData } from "node:worker_threads";
import { GenerationFill } from "./generationFill.js";
import { openDatabase, writeSlice } from "./lmdbWriting.js";

/**
 * What it is asked for: to bring over a generation, to go on with the one that the disk has refused, to let go of everything.
 *
 * @typedef {{ readonly ask: "fill"; readonly generation: import("./memtable").SharedWrites; readonly marks: import("./generationFill.js").Marks }
 *   | { readonly ask: "goOn" }
 *   | { readonly ask: "close" }} Request
 *
 * What it says: so many writes are on disk, `null` when there are no more; or that the disk has refused some.
 * @typedef {{ readonly written: number | null } | { readonly refused: string }} Report
 */

const port = /** @type {import("node:worker_threads").MessagePort} */ (parentPort);
const database = openDatabase(workerData.path);
/** @type {GenerationFill | null} */
let fill = null;

port.on("message", (/** @type {Request} */ request) => {
  if (request.ask === "close") {
    void database.close().then(() => port.close());
    return;
  }
  if (request.ask === "fill") {
    const generation = request.generation.map(({ pieces, addresses, key }) => ({
      pieces: pieces.map(({ buffer }) => Buffer.from(buffer)),
      addresses,
      key,
    }));
    const write = writeSlice.bind(null, database);
    fill = new GenerationFill(write, generation, request.marks);
  }
  goOn();
});

function goOn() {
  try {
    for (let written = fill?.next(); written !== undefined; written = fill?.next()) {
      report({ written });
      if (written === null) fill = null;
    }
  } catch (error) {
    report({ refused: /** @type {Error} */ (error).message });
  }
}

/** @param {Report} said */
function report(said) {
  port.postMessage(said);
}
