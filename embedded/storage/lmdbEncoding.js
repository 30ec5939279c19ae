// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.
import { copyBytes, viewOf } from "./byteCopy.js";

/**
 * A key or a value as bytes of a larger buffer, which are copied to where lmdb wants them, without a text of them. `view`: that buffer.
 *
 * @typedef {{ readonly buffer: Buffer, readonly view: DataView, readonly start: number, readonly end: number }} Bytes
 */

// lmdb has keys written to one buffer, until it takes a larger one.
/** @type {Buffer} */
let lastTarget = Buffer.alloc(0);
let lastTargetView = viewOf(lastTarget);

/** How lmdb writes keys that are binary strings: straight into its buffers, a byte for each character. */
export const binaryKeys = {
  /** @type {(key: string | Bytes, target: Buffer, start: number) => number} */
  writeKey(key, target, start) {
    const length = typeof key === "string" ? key.length : key.end - key.start;
    // lmdb takes a larger buffer when it sees this error.
    if (start + length > target.length) throw new RangeError("The key does not fit into the buffer");
    if (typeof key === "string") return start + target.write(key, start, "latin1");
    if (lastTarget !== target) {
      lastTarget = target;
      lastTargetView = viewOf(target);
    }
    return copyBytes(lastTargetView, start, key.view, key.start, key.end);
  },
  /** @type {(source: Buffer, start: number, end: number) => string} */
  readKey(source, start, end) {
    return source.toString("latin1", start, end);
  },
};

/**
 * What lmdb takes for a value: a buffer, of which the bytes from `start` to `end` count if they are given.
 *
 * @typedef {Buffer & { start?: number; end?: number }} ValueBuffer
 */

const SLAB_BYTES = 1 << 20;
/** @type {ValueBuffer} */
const NO_BYTES = Buffer.alloc(0);

/**
 * How lmdb writes values: many in UTF-8 into one large buffer, which lmdb keeps alive until they are stored. A
 * buffer for each value would double the time that a commit takes of the main thread.
 */
export function utf8Values() {
  let slab = NO_BYTES;
  let position = 0;
  return {
    /** lmdb's name for encoders that fill a buffer of their own. */
    copyBuffers: true,
    /** @type {(value: string | Bytes) => ValueBuffer} */
    encode(value) {
      const room = typeof value === "string" ? value.length * 3 : value.end - value.start;
      if (room === 0) return NO_BYTES;
      if (position + room > slab.length) {
        slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, room));
        position = 0;
      }
      slab.start = position;
      if (typeof value === "string") position += slab.write(value, position);
      else position += value.buffer.copy(slab, position, value.start, value.end);
      slab.end = position;
      return slab;
    },
    /** Values of more than 16 MiB come as views of the memory map, which are no buffers. */
    /** @type {(source: Uint8Array, length?: number) => string} */
    decode(source, length = source.length) {
      const buffer = Buffer.isBuffer(source) ? source : Buffer.from(source.buffer, source.byteOffset, length);
      return buffer.toString("utf8", 0, length);
    },
  };
}
