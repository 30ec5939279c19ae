import { createConnection, type Socket } from "node:net";
import { once } from "node:events";

export type HttpAnswer = { readonly status: number; readonly body: string };

const HEAD_END = Buffer.from("\r\n\r\n");

/**
 * One keep-alive connection that posts JSON, one request at a time. On the bare socket, since node:http's client takes
 * several times the processor time, which the server under test on the same machine would miss.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #head: string;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  /** Bytes of the whole answer, once its head is there. */
  #expectedBytes: number | null = null;
  #waiting: { resolve(answer: HttpAnswer): void; reject(error: Error): void } | null = null;

  private constructor(socket: Socket, url: URL, token: string) {
    this.#socket = socket;
    this.#head =
      `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${token}\r\n` +
      "Content-Type: application/json\r\nContent-Length: ";
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("The server has closed the connection")));
  }

  static async open(url: URL, token: string): Promise<Connection> {
    const socket = createConnection({ host: url.hostname, port: Number(url.port) });
    await once(socket, "connect");
    return new Connection(socket, url, token);
  }

  /** Sends a body of ASCII text and gives the answer. */
  post(body: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, "latin1");
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#expectedBytes !== null && this.#receivedBytes < this.#expectedBytes) return;
    const all = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    this.#received = [all];
    const headEnd = all.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = all.toString("latin1", 0, headEnd);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length === undefined) return this.#fail(new Error(`An answer without Content-Length: ${head}`));
    const bodyStart = headEnd + HEAD_END.length;
    this.#expectedBytes = bodyStart + Number(length);
    if (all.length < this.#expectedBytes) return;
    const answer = { status: Number(head.slice(9, 12)), body: all.toString("utf8", bodyStart) };
    this.#received = [];
    this.#receivedBytes = 0;
    this.#expectedBytes = null;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(answer);
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error);
    this.#waiting = null;
  }
}
