/** Something between a client and the server that fails, as load balancers do. */
import { createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

/** What becomes of a request. `lost`: it does not arrive. `unanswered`: it is carried out, and its answer is lost. */
export type Fate = "lost" | "unanswered" | "answered";

/** A proxy with the fates of the first requests; those that are not answered get 503. All later ones are. */
export async function startUnsteadyProxy(target: string, fates: readonly Fate[]) {
  const { hostname, port } = new URL(target);
  const left = [...fates];
  const server = createServer((incoming, outgoing) => {
    const fate = left.shift();
    const fail = () => {
      outgoing.writeHead(503, { "Content-Type": "application/json" }).end("{}");
    };
    if (fate === "lost") {
      incoming.resume();
      fail();
      return;
    }
    const { method, url, headers } = incoming;
    const forwarded = httpRequest(
      { hostname, port, method, path: url, headers },
      (answer: IncomingMessage) => {
        if (fate === "unanswered") {
          answer.resume();
          answer.once("end", fail);
        } else {
          outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(outgoing);
        }
      },
    );
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
