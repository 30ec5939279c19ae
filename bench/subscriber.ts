import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";

type Message = {
  readonly type: string;
  readonly modifications?: readonly {
    readonly type: string;
    readonly value?: { readonly page: readonly unknown[] };
    readonly errorMessage?: string;
  }[];
};

type Page = readonly unknown[];

const LIST = "meetings/queries:listMeetingParticipants";

/**
 * A signed-in client of the sync protocol that looks at one page of a list at a time. Of the official client it has the
 * messages alone, so that a thousand of them take little of the processors.
 */
export class Subscriber {
  readonly #socket: WebSocket;
  #querySet = 0;
  #pages: ((page: Page) => void) | null = null;
  #fail: (error: Error) => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#receive(data));
    socket.on("close", () => this.#fail(new Error("The server has closed a subscriber's socket")));
    socket.on("error", (error) => this.#fail(error));
  }

  static async connect(url: string, token: string): Promise<Subscriber> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/1.48.0/sync`, {
      perMessageDeflate: false,
    });
    await once(socket, "open");
    const subscriber = new Subscriber(socket);
    const session = { sessionId: randomUUID(), connectionCount: 0, lastCloseReason: "InitialConnect" };
    subscriber.#send({ type: "Connect", ...session });
    subscriber.#send({ type: "Authenticate", baseVersion: 0, tokenType: "User", value: token });
    return subscriber;
  }

  /** Looks at another list; resolves when its page is there. */
  async watch(args: object): Promise<void> {
    const page = this.change();
    const queryId = this.#querySet + 1;
    this.#send({
      type: "ModifyQuerySet",
      baseVersion: this.#querySet,
      newVersion: queryId,
      modifications: [
        ...(this.#querySet === 0 ? [] : [{ type: "Remove", queryId: this.#querySet }]),
        { type: "Add", queryId, udfPath: LIST, args: [args] },
      ],
    });
    this.#querySet = queryId;
    await page;
  }

  /** The next page that the server sends. */
  change(): Promise<Page> {
    return new Promise((resolve, reject) => {
      this.#pages = resolve;
      this.#fail = reject;
    });
  }

  close(): void {
    this.#fail = () => undefined;
    this.#socket.close();
  }

  #receive(data: Buffer): void {
    const { modifications } = JSON.parse(data.toString("utf8")) as Message;
    for (const { type, value, errorMessage } of modifications ?? []) {
      if (type === "QueryFailed") this.#fail(new Error(errorMessage));
      if (type === "QueryUpdated" && value) this.#pages?.(value.page);
    }
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}
