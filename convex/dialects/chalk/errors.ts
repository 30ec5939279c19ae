import { ConvexError } from "convex/values";
import * as z from "zod";
import type { SkipCode } from "../../contract/entries";
import { type ErrorCode, errorData } from "../../contract/errors";
import { isInvalidCursor } from "../../http/responses";
import { type ErrorText, errorStatus } from "./errorTexts";

const refusal = z.object({ status: z.int(), error: z.string(), retryAfterMs: z.number().exactOptional() });

/** What a client is told. */
export type Refusal = z.infer<typeof refusal>;

/** Ends the request with an error of this wire. */
export function refuse(text: ErrorText): never {
  throw new ConvexError<Refusal>({ status: errorStatus[text], error: text });
}

/** Ends the request since what was sent does not fit. */
export function refuseInput(error: string): never {
  throw new ConvexError<Refusal>({ status: 400, error });
}

/** What has been done, unless it was refused in a transaction that had to be committed. */
export function orRefuse<Answer extends object>(outcome: Answer | { refused: Refusal }): Answer {
  if ("refused" in outcome) throw new ConvexError<Refusal>(outcome.refused);
  return outcome;
}

/** What every code of ours is on this wire. Codes that no operation here can give are faults. */
const texts: Partial<Record<ErrorCode, ErrorText>> = {
  MEETING_CLOSED: "room is not active",
  MEETING_NOT_ACTIVE: "room is not active",
  MEETING_LOCKED: "room is locked",
  ONE_ON_ONE_FULL: "room is full",
  TOO_FEW_PLACES: "room is full",
  LAST_HOST: "a room keeps at least one host",
  TOO_MANY_ACTIVE_MEETINGS: "too many active rooms",
  PAYLOAD_TOO_LARGE: "request body too large",
  RATE_LIMITED: "too many requests",
  // What a deployment lacks is the concern of those who run it.
  NOT_CONFIGURED: "service unavailable",
};

/** Why a person could not be added. */
export const textOfSkip: Record<SkipCode, ErrorText> = {
  user_not_found: "participant not found",
  guest_not_found: "participant not found",
  user_inactive: "user is deactivated",
  banned: "banned from the room",
  duplicate: "participant already in room",
  already_participant: "participant already in room",
  already_waiting: "participant already in room",
  last_host: "a room keeps at least one host",
  meeting_full: "room is full",
  one_on_one_full: "room is full",
};

/** What was thrown, in the words of this wire; null for a fault, of which nobody is told more. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof ConvexError)) return null;
  const own = refusal.safeParse(error.data).data;
  if (own) return own;
  if (isInvalidCursor(error.data)) return { status: 400, error: "invalid cursor" };
  const { code, retryAfterMs } = errorData.partial().safeParse(error.data).data ?? {};
  const text = code && texts[code];
  if (text === undefined) return null;
  return { status: errorStatus[text], error: text, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** What is wrong with what was sent: the first issue, with the field that it is about. */
export function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  const field = issue?.path.join(".") ?? "";
  const message = issue?.message ?? "invalid request";
  return field === "" ||
    message.includes(String(issue?.path.at(-1))) ||
    message === "no participants provided"
    ? message
    : `${field}: ${message}`;
}
