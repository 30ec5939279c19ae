import type { AddressInfo } from "node:net";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { failure, refusalOf } from "./answers";
import type { Verify } from "./tokens";

/** Answers an authenticated request with the text of a JSON body. */
export type Answer = (call: {
  readonly path: string;
  readonly subject: string;
  readonly body: unknown;
}) => string | Promise<string>;

/** A plain node:http server for peers that need no framework. */
export function createJsonServer(verify: Verify, answer: Answer): Server {
  return createServer((request, response) => {
    const reply = (status: number, text: string) => {
      const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) };
      response.writeHead(status, headers).end(text);
    };
    const serve = async () => {
      const known = verify(request.headers.authorization);
      const subject = typeof known === "string" ? known : await known;
      const body: unknown = JSON.parse(await readText(request));
      reply(200, await answer({ path: request.url ?? "", subject, body }));
    };
    serve().catch((error: unknown) => {
      const refusal = refusalOf(error);
      reply(refusal.status, failure(refusal));
    });
  });
}

function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.on("error", reject);
  });
}

/** Listens on a port that the system chooses. */
export function listen(server: Server): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () =>
      resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    );
  });
}

/** Says where the server is reached, which whoever has started it waits for; SIGTERM ends it. */
export function announce(url: string): void {
  process.once("SIGTERM", () => process.exit(0));
  console.log(`Listening on ${url}`);
}

/** The folder of the peer's data, from the environment. */
export function dataFolder(): string {
  const folder = process.env["BENCH_DATA"];
  if (!folder) throw new Error("BENCH_DATA names no folder");
  return folder;
}
