/** What may be held in all of bodies and messages that have not arrived in full. */
const LIMIT_BYTES = 256 * 1024 * 1024;

/**
 * Counts the bytes of unfinished bodies and messages over all connections: each connection has a limit of its own, but many
 * that send slowly could hold any amount of memory together.
 */
export class Intake {
  #bytes = 0;

  /** Counts bytes that have come. `false`: they are too many, and whoever has sent them must be turned away. */
  take(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes <= LIMIT_BYTES;
  }

  /** The bytes have been worked on, or given up. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}
