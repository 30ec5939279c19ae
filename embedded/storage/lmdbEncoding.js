// @ts-check
// Plain JavaScript, as a worker reads it too: see lmdbWorker.js.

/** How lmdb writes keys that are binary strings: straight into its buffers, a byte for each character. */
export const binaryKeys = {
  /** @type {(key: string, target: Buffer, start: number) => number} */
  writeKey(key, target, start) {
    // lmdb takes a larger buffer when it sees this error.
    if (start + key.length > target.length) throw new RangeError("The key does not fit into the buffer");
    return start + target.write(key, start, "latin1");
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
    /** @type {(value: string) => ValueBuffer} */
    encode(value) {
      if (value === "") return NO_BYTES;
      const room = value.length * 3;
      if (position + room > slab.length) {
        slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, room));
        position = 0;
      }
      slab.start = position;
      position += slab.write(value, position);
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
