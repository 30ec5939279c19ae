import { once } from "node:events";
import type { Socket } from "node:net";

/** Asks for a WebSocket. */
export const UPGRADE =
  "GET /api/1.48.0/sync HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/** A connection whose every byte the test decides. */
export class BytesClient {
  received = "";
  readonly closed: Promise<void>;

  constructor(readonly socket: Socket) {
    socket.setEncoding("latin1").on("data", (text: string) => (this.received += text));
    // A reset is one way to close.
    socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  async until(matches: (received: string) => boolean): Promise<void> {
    while (!matches(this.received) && !this.socket.closed) {
      await Promise.race([once(this.socket, "data"), this.closed]);
    }
  }
}
