/** Calls of functions without Node's HTTP server, which answers whatever is not as plain. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { refusalOf } from "./apiError";
import { parseJsonObject, requireJsonType, type ApiRequestOptions } from "./apiRequest";
import { answerCall, isCallPath, type FunctionCallOptions } from "./functionCalls";
import { Places } from "./places";
import { PlainConnection, type PlainAnswer, type PlainHost } from "./plainConnection";
import type { PlainHead } from "./plainRequest";

export type PlainCallsOptions = ApiRequestOptions &
  FunctionCallOptions & {
    /** Requests wait for this before they are answered. */
    readonly ready: Promise<void>;
    /** Told of errors that no client is to blame for. */
    readonly onFault: (error: unknown) => void;
    readonly unreadMs: number;
  };

/** A body of so many bytes is left as it is until the turn of its call is near. */
const LARGE_BODY_BYTES = 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Answers the calls that come to a server as plain requests, and leaves connections with anything else to it. Gives what is to be called
 * when it has stopped listening: then connections close when they have been answered.
 */
export function servePlainCalls(server: Server, options: PlainCallsOptions): () => void {
  const [speakHttp] = server.listeners("connection") as ((this: Server, socket: Socket) => void)[];
  if (!speakHttp) throw new Error("Node's HTTP server does not wait for connections");
  server.off("connection", speakHttp);
  const host: PlainHost = {
    takes: isCallPath,
    answer: (head, body) => answer(options, head, body),
    leave: (socket) => speakHttp.call(server, socket),
    keepsAlive: () => server.listening,
    get keepAliveMs() {
      return server.keepAliveTimeout;
    },
    unreadMs: options.unreadMs,
    intake: options.intake,
  };
  const connections = new Places<PlainConnection>();
  server.on("connection", (socket: Socket) => {
    const gone = connections.add(new PlainConnection(socket, host, () => gone()));
  });
  return () => {
    for (const connection of connections) connection.close();
  };
}

async function answer(
  options: PlainCallsOptions,
  { path, headers }: PlainHead,
  body: Buffer,
): Promise<PlainAnswer> {
  try {
    await options.ready;
    const json = await answerCall(options, {
      path,
      headers,
      authenticate: () => options.authenticate(headers.authorization, undefined),
      readJson: () => {
        requireJsonType(headers);
        const read = () => {
          const text = body.toString("utf8");
          // Until the answer it would be kept as long as this function is.
          body = NOTHING;
          return parseJsonObject(text);
        };
        const near = body.length < LARGE_BODY_BYTES ? undefined : options.runtime.near();
        return near === undefined ? read() : near.then(read);
      },
    });
    return { status: 200, headers: {}, json };
  } catch (error) {
    return refusalOf(error, options.onFault);
  }
}
