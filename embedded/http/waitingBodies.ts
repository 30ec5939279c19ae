import { SpareArrays } from "../storage/spareArrays";

/** A body that waits: its bytes, in memory that may be longer. */
export type WaitingBody = { readonly memory: Int32Array<ArrayBuffer>; readonly bytes: number };

/**
 * Bodies of requests that wait until somebody reads them, in memory that is used again: that in which they have come would be left to the
 * garbage collector's rare and long collections, and be a reason for these.
 */
export class WaitingBodies {
  readonly #spare = new SpareArrays();

  keep(body: Buffer): WaitingBody {
    const memory = this.#spare.take(Math.ceil(body.length / Int32Array.BYTES_PER_ELEMENT));
    body.copy(new Uint8Array(memory.buffer));
    return { memory, bytes: body.length };
  }

  /** What one says. It is gone then. */
  take({ memory, bytes }: WaitingBody): string {
    const text = Buffer.from(memory.buffer, 0, bytes).toString("utf8");
    this.#spare.keep(memory);
    return text;
  }
}
