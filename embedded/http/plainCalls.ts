/** Calls of functions without Node's HTTP server, which answers whatever is not as plain. */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Caller } from "../functions/caller";
import { refusalOf } from "./apiError";
import { parseJsonObject, requireJsonType, type ApiRequestOptions } from "./apiRequest";
import { answerCall, isCallPath, type FunctionCallOptions } from "./functionCalls";
import { Places } from "./places";
import { PlainConnection, type PlainAnswer, type PlainHost } from "./plainConnection";
import type { PlainHead } from "./plainRequest";
import { WaitingBodies } from "./waitingBodies";

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
  const waiting = new WaitingBodies();
  const host: PlainHost = {
    takes: isCallPath,
    answer: (head, body, send) => void admit(options, head, body, send, waiting),
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

/**
 * Lets a call in when its turn is near, and then answers it. What waits has got old for the garbage collector by then, so that whatever it
 * refers to is left to the rare and long collections: it gets to know nothing of what comes.
 */
async function admit(
  options: PlainCallsOptions,
  head: PlainHead,
  body: Buffer,
  send: (answer: PlainAnswer) => void,
  waiting: WaitingBodies,
): Promise<void> {
  let caller: Caller;
  try {
    await options.ready;
    const found = options.authenticate(head.headers.authorization, undefined);
    caller = found instanceof Promise ? await found : found;
  } catch (error) {
    return send(refusalOf(error, options.onFault));
  }
  const near = body.length < LARGE_BODY_BYTES ? undefined : options.runtime.near();
  if (near === undefined) {
    void answer(options, head, caller, body.toString("utf8")).then(send);
    return;
  }
  const kept = waiting.keep(body);
  body = NOTHING;
  await near;
  void answer(options, head, caller, waiting.take(kept)).then(send);
}

async function answer(
  options: PlainCallsOptions,
  { path, headers }: PlainHead,
  caller: Caller,
  text: string,
): Promise<PlainAnswer> {
  try {
    const readJson = () => {
      requireJsonType(headers);
      const body = text;
      // Until the answer it would be kept as long as this function is.
      text = "";
      return parseJsonObject(body);
    };
    const json = await answerCall(options, { path, headers, caller, readJson });
    return { status: 200, headers: {}, json };
  } catch (error) {
    return refusalOf(error, options.onFault);
  }
}
