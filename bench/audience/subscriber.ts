import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";

type Message = {
  readonly modifications?: readonly {
    readonly type: string;
    readonly value?: { readonly page: readonly unknown[] };
    readonly errorMessage?: string;
  }[];
};

const LIST = "meetings/queries:listMeetingParticipants";

/** What stands in a message with a new result, and no sooner than in its first bytes. */
const MODIFIED = Buffer.from('"modifications":[{');

/**
 * A signed-in client of the sync protocol that looks at one page of a list at a time. Of the official client it has the
 * messages alone, and it reads of one no more than whether it brings something new, so that a thousand of them take little of
 * the processors.
 */
export class Subscriber {
  readonly #socket: WebSocket;
  #querySet = 0;
  #newest: Buffer | null = null;
  #told: (() => void) | null = null;
  #fail: (error: Error) => void = () => undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      if (!data.includes(MODIFIED)) return;
      this.#newest = data;
      this.#told?.();
    });
    socket.on("close", () => this.#fail(new Error("The server has closed a subscriber's socket")));
    socket.on("error", (error) => this.#fail(error));
  }

  static async connect(url: string, token: string): Promise<Subscriber> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/1.48.0/sync`, {
      perMessageDeflate: false,
      skipUTF8Validation: true,
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
    this.length();
  }

  /** Resolves when the server has sent the next page. */
  change(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#told = resolve;
      this.#fail = reject;
    });
  }

  /** How many people are on the newest page. Throws what the server has said instead of a page. */
  length(): number {
    const { modifications = [] } = JSON.parse(this.#newest?.toString("utf8") ?? "{}") as Message;
    const { value, errorMessage } = modifications.at(-1) ?? {};
    if (!value) throw new Error(errorMessage ?? "A subscriber has no page");
    return value.page.length;
  }

  close(): void {
    this.#fail = () => undefined;
    this.#socket.close();
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}
