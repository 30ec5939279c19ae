import { ConvexError } from "convex/values";
import * as z from "zod";
import type { SkipCode } from "../../contract/entries";
import { type ErrorCode, errorData } from "../../contract/errors";
import type { WireError } from "../../contract/wire";
import { fail } from "../../model/errors";

/** The codes of this wire, with their HTTP statuses. The vendor's SDKs list them; the documentation has the statuses alone. */
export const codeStatus = {
  "MMC.111070001": 400,
  "MMC.111070002": 403,
  "MMC.111070003": 500,
  "MMC.111070004": 401,
  "MMC.111070005": 400,
  "MMC.111070009": 400,
  "MMC.111070110": 400,
  "MMC.111070111": 401,
  "MMC.111071004": 403,
  "MMC.111071075": 403,
  "MMC.111072006": 400,
  "MMC.111072065": 400,
  "MMC.111076003": 400,
  "MMC.115022001": 400,
  "MMC.100000429": 429,
  "USG.201080006": 400,
  "USG.206010000": 401,
  "APIG.0101": 404,
  "APIG.0201": 413,
} as const;
export type WireCode = keyof typeof codeStatus;

/** What the codes are called. */
export const codes = {
  badRequest: "MMC.111070001",
  insufficientPermissions: "MMC.111070002",
  failure: "MMC.111070003",
  authenticationFailed: "MMC.111070004",
  conferenceNotFound: "MMC.111070005",
  passwordNeeded: "MMC.111070009",
  inviteFailed: "MMC.111070110",
  tokenMissing: "MMC.111070111",
  onlyHostsStart: "MMC.111071004",
  onlyInvited: "MMC.111071075",
  conferenceOver: "MMC.111072006",
  notFoundOrWrongPassword: "MMC.111072065",
  tooManyParticipants: "MMC.111076003",
  tooManyConferences: "MMC.115022001",
  tooManyRequests: "MMC.100000429",
  samePasswords: "USG.201080006",
  wrongAccountOrPassword: "USG.206010000",
  noSuchApi: "APIG.0101",
  tooLarge: "APIG.0201",
} as const satisfies Record<string, WireCode>;

const refusal = z.object({
  wireCode: z.enum(Object.keys(codeStatus) as [WireCode, ...WireCode[]]),
  message: z.string(),
});

/** What a client is told. */
export interface Refusal {
  code: WireCode;
  status: number;
  message: string;
  retryAfterMs?: number;
}

/** Ends the request with an error of this wire. */
export function refuse(name: keyof typeof codes, message: string): never {
  throw new ConvexError<z.infer<typeof refusal>>({ wireCode: codes[name], message });
}

/** What every code of ours is on this wire. Codes that no operation here can give are faults. */
const codeOf: Partial<Record<ErrorCode, keyof typeof codes>> = {
  INVALID_ARGUMENT: "badRequest",
  UNSUPPORTED_MEDIA_TYPE: "badRequest",
  PAYLOAD_TOO_LARGE: "tooLarge",
  BANNED: "onlyInvited",
  MEETING_NOT_FOUND: "conferenceNotFound",
  MEETING_CLOSED: "conferenceOver",
  MEETING_NOT_ACTIVE: "conferenceNotFound",
  MEETING_ACTIVE: "badRequest",
  MEETING_ALREADY_ACTIVE: "badRequest",
  PARTICIPANT_NOT_FOUND: "badRequest",
  USER_NOT_FOUND: "inviteFailed",
  GUEST_NOT_FOUND: "inviteFailed",
  USER_INACTIVE: "inviteFailed",
  ALREADY_PARTICIPANT: "inviteFailed",
  LAST_HOST: "badRequest",
  MEETING_FULL: "tooManyParticipants",
  ONE_ON_ONE_FULL: "tooManyParticipants",
  TOO_FEW_PLACES: "badRequest",
  SCHEDULED_IN_PAST: "badRequest",
  TOO_MANY_ACTIVE_MEETINGS: "tooManyConferences",
  RATE_LIMITED: "tooManyRequests",
  // What a deployment lacks is the concern of those who run it.
  NOT_CONFIGURED: "failure",
};

/** Why a person could not be invited: the code of ours that says the same of a whole request. */
const errorOfSkip: Record<Exclude<SkipCode, "duplicate">, ErrorCode> = {
  user_not_found: "USER_NOT_FOUND",
  guest_not_found: "GUEST_NOT_FOUND",
  user_inactive: "USER_INACTIVE",
  banned: "BANNED",
  already_participant: "ALREADY_PARTICIPANT",
  already_waiting: "ALREADY_PARTICIPANT",
  last_host: "LAST_HOST",
  meeting_full: "MEETING_FULL",
  one_on_one_full: "ONE_ON_ONE_FULL",
};

/** Ends the request because somebody could not be invited. */
export function failForSkipped(code: Exclude<SkipCode, "duplicate">, reason: string): never {
  fail(errorOfSkip[code], reason);
}

/** What was thrown, in the words of this wire; null for a fault, of which nobody is told more. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof ConvexError)) return null;
  const own = refusal.safeParse(error.data).data;
  if (own) return { code: own.wireCode, status: codeStatus[own.wireCode], message: own.message };
  const { code, message, retryAfterMs } = errorData.partial().safeParse(error.data).data ?? {};
  const name = code && codeOf[code];
  if (name === undefined || message === undefined) return null;
  return {
    code: codes[name],
    status: codeStatus[codes[name]],
    message: name === "failure" ? "System processing failure" : message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** The errors that an operation can give, for its documentation. */
export function wireErrors(...more: (keyof typeof codes)[]): WireError[] {
  const names = ["badRequest", "tooManyRequests", "tooLarge", "failure", ...more] as const;
  return names.map((name) => ({ name: codes[name], status: codeStatus[codes[name]] }));
}
