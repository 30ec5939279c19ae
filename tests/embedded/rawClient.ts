import { once } from "node:events";
import { WebSocket } from "ws";

export type Message = { type: string; [field: string]: unknown };

/** A socket without the official client around it. */
export class RawClient {
  readonly received: Message[] = [];
  readonly #socket: WebSocket;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #waiting: { matches: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];

  constructor(url: string) {
    this.#socket = new WebSocket(`${url.replace("http", "ws")}/api/1.48.0/sync`);
    this.closed = new Promise((resolve) => {
      this.#socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    this.#socket.on("error", () => undefined);
    this.#socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString("utf8")) as Message;
      this.received.push(message);
      for (const { matches, resolve } of this.#waiting) if (matches(message)) resolve(message);
    });
  }

  static async open(url: string): Promise<RawClient> {
    const client = new RawClient(url);
    await once(client.#socket, "open");
    return client;
  }

  /** A client that has sent its first message. */
  static async connected(url: string, sessionId: string = crypto.randomUUID()): Promise<RawClient> {
    const client = await RawClient.open(url);
    client.send({
      type: "Connect",
      sessionId,
      connectionCount: 0,
      lastCloseReason: null,
      clientTs: Date.now(),
    });
    return client;
  }

  send(message: Message | string | Buffer): void {
    this.#socket.send(
      typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  until(matches: (message: Message) => boolean): Promise<Message> {
    const found = this.received.find(matches);
    return found
      ? Promise.resolve(found)
      : new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  stopReading(): void {
    this.#socket.pause();
  }

  readOn(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.close();
  }
}

/** Makes one query the whole query set. */
export const addQuery = (queryId: number, udfPath = "notes:all", args: unknown[] = [{}]) => ({
  type: "ModifyQuerySet",
  baseVersion: 0,
  newVersion: 1,
  modifications: [{ type: "Add", queryId, udfPath, args }],
});
export const mutation = (requestId: number, text: string, author = "ann") => ({
  type: "Mutation",
  requestId,
  udfPath: "notes:add",
  args: [{ author, text }],
});
