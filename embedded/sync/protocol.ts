/**
 * The messages of the sync protocol, as they are on the wire: JSON in text frames. Timestamps are u64 nanoseconds, 8
 * bytes little endian in base64.
 */
import * as z from "zod";
import type { Json } from "../values/json";

/** What the client sent is no message of the protocol, or not one that fits the session. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
}

const count = z.number().int().nonnegative();
const json = z.custom<Json>((value) => value !== undefined);

const addQuery = z.object({
  type: z.literal("Add"),
  queryId: count,
  udfPath: z.string(),
  args: z.array(json),
  journal: z.string().nullish(),
  componentPath: z.string().nullish(),
});
const removeQuery = z.object({ type: z.literal("Remove"), queryId: count });

const call = {
  requestId: count,
  udfPath: z.string(),
  args: z.array(json),
  componentPath: z.string().nullish(),
};

const clientMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("Connect"),
    sessionId: z.string().max(64),
    connectionCount: count,
    lastCloseReason: z.string().nullish(),
    maxObservedTimestamp: z.string().nullish(),
    clientTs: z.number().nullish(),
  }),
  z.object({
    type: z.literal("Authenticate"),
    baseVersion: count,
    tokenType: z.enum(["User", "Admin", "None"]),
    value: z.string().optional(),
    impersonating: json.optional(),
    actingAs: json.optional(),
  }),
  z.object({
    type: z.literal("ModifyQuerySet"),
    baseVersion: count,
    newVersion: count,
    modifications: z.array(z.discriminatedUnion("type", [addQuery, removeQuery])),
  }),
  z.object({ type: z.literal("Mutation"), ...call }),
  z.object({ type: z.literal("Action"), ...call }),
  z.object({ type: z.literal("Event"), eventType: z.string(), event: json.optional() }),
]);

export type ClientMessage = z.infer<typeof clientMessage>;
export type Authenticate = Extract<ClientMessage, { type: "Authenticate" }>;
export type ModifyQuerySet = Extract<ClientMessage, { type: "ModifyQuerySet" }>;
export type AddQuery = z.infer<typeof addQuery>;
export type FunctionRequest = Extract<ClientMessage, { type: "Mutation" | "Action" }>;

/** Reads a frame. Throws {@link ProtocolError}. */
export function parseClientMessage(text: string): ClientMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    throw new ProtocolError("The message is not JSON");
  }
  const { data, error } = clientMessage.safeParse(message);
  if (error) {
    const [issue] = error.issues;
    throw new ProtocolError(`Invalid message: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""}`);
  }
  return data;
}

/** Where a client's view stands. Each transition starts where the one before it has ended. */
export type StateVersion = { readonly querySet: number; readonly identity: number; readonly ts: string };

/** A query's result, as JSON text in the encoding of Convex values, or that text's bytes; or why there is none. */
export type QueryChange =
  | { readonly type: "QueryUpdated"; readonly value: string | Buffer }
  | { readonly type: "QueryFailed"; readonly errorMessage: string; readonly errorData?: Json };

export type QueryModification = { readonly queryId: number } & (
  | (QueryChange & { readonly logLines: readonly string[]; readonly journal: string | null })
  | { readonly type: "QueryRemoved" }
);

/** The text of a message, in parts that follow one another. Parts that are bytes already may belong to several messages. */
export type MessageParts = readonly (string | Buffer)[];

/** A transition as text. Values are JSON text already and are put in as they are. */
export function writeTransition(
  startVersion: StateVersion,
  endVersion: StateVersion,
  modifications: readonly QueryModification[],
): MessageParts {
  const versions = `"startVersion":${JSON.stringify(startVersion)},"endVersion":${JSON.stringify(endVersion)}`;
  const parts: (string | Buffer)[] = [];
  let text = `{"type":"Transition",${versions},"modifications":[`;
  for (const [i, modification] of modifications.entries()) {
    if (i > 0) text += ",";
    if (modification.type !== "QueryUpdated") {
      text += JSON.stringify(modification);
      continue;
    }
    const { value, ...rest } = modification;
    text += `${JSON.stringify(rest).slice(0, -1)},"value":`;
    if (typeof value === "string") {
      text += value;
    } else {
      parts.push(text, value);
      text = "";
    }
    text += "}";
  }
  parts.push(`${text}]}`);
  return parts;
}

/** How a mutation or action ended. `ts`: with a mutation, the timestamp of which a transition must follow. */
export type FunctionResponse = {
  readonly type: "MutationResponse" | "ActionResponse";
  readonly requestId: number;
  readonly logLines: readonly string[];
} & (
  | { readonly success: true; readonly result: string; readonly ts?: string }
  | { readonly success: false; readonly errorMessage: string; readonly errorData?: Json }
);

/** A response as text; the result is JSON text already. */
export function writeFunctionResponse(response: FunctionResponse): string {
  if (!response.success) {
    const { errorMessage, ...rest } = response;
    return JSON.stringify({ ...rest, result: errorMessage });
  }
  const { result, ...rest } = response;
  return `${JSON.stringify(rest).slice(0, -1)},"result":${result}}`;
}
