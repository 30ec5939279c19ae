import { ConvexError } from "convex/values";
import * as z from "zod";
import { type ErrorCode, errorData } from "../../contract/errors";
import type { WireError } from "../../contract/wire";

/** The error codes of Twirp, with their HTTP statuses. */
export const twirpStatus = {
  bad_route: 404,
  failed_precondition: 412,
  internal: 500,
  invalid_argument: 400,
  malformed: 400,
  not_found: 404,
  permission_denied: 403,
  resource_exhausted: 429,
  unauthenticated: 401,
  unavailable: 503,
  unimplemented: 501,
} as const;
type TwirpCode = keyof typeof twirpStatus;

const codes = Object.keys(twirpStatus) as [TwirpCode, ...TwirpCode[]];

const refusal = z.strictObject({ twirp: z.enum(codes), msg: z.string() });

/** What a client is told. */
export type Refusal = z.infer<typeof refusal>;

/** Ends the request with an error of this wire. */
export function refuse(twirp: TwirpCode, msg: string): never {
  throw new ConvexError<Refusal>({ twirp, msg });
}

/** What every code of ours is on this wire. Codes that no operation here can give are faults. */
const twirpOf: Partial<Record<ErrorCode, TwirpCode>> = {
  INVALID_ARGUMENT: "invalid_argument",
  PAYLOAD_TOO_LARGE: "invalid_argument",
  LAST_HOST: "failed_precondition",
  TOO_MANY_ACTIVE_MEETINGS: "resource_exhausted",
  RATE_LIMITED: "resource_exhausted",
  NOT_CONFIGURED: "unavailable",
};

/** What was thrown, in the words of this wire; null for a fault, of which nobody is told more. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof ConvexError)) return null;
  const own = refusal.safeParse(error.data).data;
  if (own) return own;
  const { code, message = "" } = errorData.partial().safeParse(error.data).data ?? {};
  const twirp = code && twirpOf[code];
  if (twirp === undefined) return null;
  // What a deployment lacks is the concern of those who run it.
  return { twirp, msg: twirp === "unavailable" ? "try again later" : message };
}

/** The errors that an operation can give, for its documentation. */
export function wireErrors(...more: TwirpCode[]): WireError[] {
  const names = [
    "invalid_argument",
    "malformed",
    "unauthenticated",
    "permission_denied",
    "resource_exhausted",
    "internal",
    "unavailable",
    ...more,
  ] as const;
  return names.map((name) => ({ name, status: twirpStatus[name] }));
}
