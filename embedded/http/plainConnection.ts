import { maxHeaderSize, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Intake } from "./intake";
import { readPlainHead, type PlainHead } from "./plainRequest";

/** Requests with larger bodies are left to Node's HTTP server. */
const MAX_BODY_BYTES = 64 * 1024;

const HEAD_END = "\r\n\r\n";
const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

/** An answer: JSON text, with its status and further headers. */
export type PlainAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: string;
};

export type PlainHost = {
  /** Whether requests to this path are to be answered here. */
  readonly takes: (path: string) => boolean;
  /** Answers a request, once. Never throws. */
  readonly answer: (head: PlainHead, body: Buffer, send: (answer: PlainAnswer) => void) => void;
  /** Gives a connection to Node's HTTP server, which reads what has come and is not answered. */
  readonly leave: (socket: Socket) => void;
  /** Whether connections stay open behind an answer. */
  readonly keepsAlive: () => boolean;
  /** For how long those do on which nothing is asked for. */
  readonly keepAliveMs: number;
  /** After how long a client that reads nothing of its answer is cut off. */
  readonly unreadMs: number;
  readonly intake: Intake;
};

/** `waiting` for a request; `answering` one; `sending` an answer of which the system has not taken all. */
type State = "waiting" | "answering" | "sending";

/**
 * A connection whose client sends plain requests (`plainRequest.ts`), each after the answer to the one before. Node's HTTP server takes
 * twice as long for one, most of it for what such requests do not have. At the first one that has something else, or that comes before
 * its turn, the connection is left to that server, for good.
 */
export class PlainConnection {
  readonly #socket: Socket;
  readonly #host: PlainHost;
  readonly #gone: () => void;
  #state: State = "waiting";
  #hasAnswered = false;
  /** The client sends no more. */
  #hasEnded = false;
  /** What has come of a request, if not all of it, and since when. */
  #part: Buffer | null = null;
  #partSince = 0;
  /** Clients send the same head again and again. */
  #lastText = "";
  #lastHead: PlainHead | null = null;

  /** @param gone told when it is closed or left */
  constructor(socket: Socket, host: PlainHost, gone: () => void) {
    this.#socket = socket;
    this.#host = host;
    this.#gone = gone;
    socket.setTimeout(host.keepAliveMs);
    socket.on("data", this.#onData).on("end", this.#onEnd).on("timeout", this.#onTimeout);
    socket.on("error", ignore).on("close", this.#onClose);
  }

  /** The server closes: the connection does when it owes no answer any more. */
  close(): void {
    if (this.#state !== "waiting") return;
    if (this.#part) this.#leave();
    else this.#socket.destroy();
  }

  readonly #onData = (chunk: Buffer) => {
    if (this.#state !== "waiting") {
      // What comes before its turn is read when that has come.
      this.#socket.pause();
      this.#hold(chunk);
      return;
    }
    const part = this.#part;
    this.#read(part ? Buffer.concat([part, chunk]) : chunk);
  };

  #read(bytes: Buffer): void {
    const end = bytes.indexOf(HEAD_END);
    if (end === -1 && bytes.length <= maxHeaderSize) return this.#wait(bytes);
    const head =
      end === -1 || end > maxHeaderSize ? null : this.#headOf(bytes.toString("latin1", 0, end + 2));
    if (head === null || head.bodyBytes > MAX_BODY_BYTES || !this.#host.takes(head.path)) {
      return this.#leave(bytes);
    }
    const start = end + HEAD_END.length;
    const missing = start + head.bodyBytes - bytes.length;
    if (missing > 0) return this.#wait(bytes);
    // The client sends the next one already.
    if (missing < 0) return this.#leave(bytes);
    this.#letGo();
    this.#state = "answering";
    this.#host.answer(head, bytes.subarray(start), this.#send);
  }

  #headOf(text: string): PlainHead | null {
    if (text === this.#lastText) return this.#lastHead;
    this.#lastHead = readPlainHead(text);
    this.#lastText = text;
    return this.#lastHead;
  }

  /** Waits for the rest of a request. Who takes too long is left to Node's server, which has limits for that. */
  #wait(bytes: Buffer): void {
    const now = performance.now();
    const since = this.#part ? this.#partSince : now;
    if (now - since > this.#host.keepAliveMs || !this.#hold(bytes)) return this.#leave(bytes);
    this.#partSince = since;
  }

  /** Keeps bytes. `false`: too many are kept of all connections together. */
  #hold(bytes: Buffer): boolean {
    this.#letGo();
    this.#part = bytes;
    return this.#host.intake.take(bytes.length);
  }

  #letGo(): void {
    if (this.#part) this.#host.intake.release(this.#part.length);
    this.#part = null;
  }

  readonly #send = ({ status, headers, json }: PlainAnswer) => {
    const socket = this.#socket;
    if (socket.destroyed) return;
    const { keepAliveMs } = this.#host;
    const keepsAlive = this.#host.keepsAlive() && !this.#hasEnded;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`;
    for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
    head += `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(json)}\r\nDate: ${dateText()}\r\n`;
    head += keepsAlive
      ? `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveMs / 1_000)}\r\n\r\n`
      : "Connection: close\r\n\r\n";
    socket.write(head + json);
    this.#hasAnswered = true;
    if (!keepsAlive) {
      socket.destroySoon();
      return;
    }
    if (socket.writableLength === 0) return this.#sent();
    this.#state = "sending";
    socket.setTimeout(this.#host.unreadMs);
    // Nothing, behind the answer: told when all of that is on its way.
    socket.write("", () => {
      if (socket.destroyed) return;
      socket.setTimeout(keepAliveMs);
      this.#sent();
    });
  };

  #sent(): void {
    const wasAnswering = this.#state === "answering";
    this.#state = "waiting";
    const next = this.#part;
    if (!this.#host.keepsAlive() || this.#hasEnded) this.#socket.destroySoon();
    else if (next === null) return;
    // What came while the answer was on its way is no sooner than it may be.
    else if (wasAnswering) this.#leave();
    else {
      this.#socket.resume();
      this.#read(next);
    }
  }

  readonly #onEnd = () => {
    this.#hasEnded = true;
    if (this.#state !== "waiting") return;
    if (this.#part) this.#socket.write(BAD_REQUEST);
    this.#socket.destroySoon();
  };

  readonly #onTimeout = () => {
    if (this.#state === "answering") return;
    const isIdle = this.#hasAnswered && this.#part === null;
    if (this.#state === "sending" || isIdle) this.#socket.destroy();
    else this.#leave();
  };

  readonly #onClose = () => {
    this.#letGo();
    this.#gone();
  };

  #leave(bytes = this.#part): void {
    this.#letGo();
    const socket = this.#socket;
    socket.off("data", this.#onData).off("end", this.#onEnd).off("timeout", this.#onTimeout);
    socket.off("error", ignore).off("close", this.#onClose);
    socket.setTimeout(0);
    if (bytes) socket.unshift(bytes);
    this.#gone();
    this.#host.leave(socket);
    socket.resume();
  }
}

function ignore(): void {
  // A connection that breaks is nobody's concern here: it closes.
}

let dateSecond = 0;
let date = "";

/** The time of an answer, as its header has it. */
function dateText(): string {
  const second = Math.floor(Date.now() / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    date = new Date(second * 1_000).toUTCString();
  }
  return date;
}
