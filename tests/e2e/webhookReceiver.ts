import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A message as it arrived. */
export type Message = {
  id: string;
  headers: Record<string, string>;
  body: string;
  sequence: number | undefined;
  type: string;
};

/** Takes webhooks over HTTP, and answers them as it is told to. */
export class WebhookReceiver {
  readonly #messages: Message[] = [];
  readonly #waiting: (() => void)[] = [];
  /** The status with which a message is answered. */
  answer: (message: Message) => number = () => 204;
  readonly #server = createServer((request, response) => {
    void this.#take(request).then((message) => {
      response.writeHead(this.answer(message), { Location: "/elsewhere" });
      response.end();
    });
  });

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Waits until so many messages have arrived in all, and gives them. */
  async messages(count: number): Promise<Message[]> {
    while (this.#messages.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#messages;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage): Promise<Message> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    const { type, data } = JSON.parse(body) as { type: string; data: { sequence?: number } };
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const message = { id: headers["webhook-id"] ?? "", headers, body, sequence: data.sequence, type };
    this.#messages.push(message);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return message;
  }
}
