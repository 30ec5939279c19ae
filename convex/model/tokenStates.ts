/** The life of a refresh or control token, as pure functions. */
import type { ErrorCode } from "../contract/errors";

/** `spent`: a refresh token that has been used; the next one has taken its place. */
export type TokenState = "good" | "spent" | "expired" | "revoked";

/** `use` of a control token changes nothing; a refresh token works once. */
export type TokenAction = "use" | "refresh" | "expire" | "revoke";

type Refusal = Extract<ErrorCode, "TOKEN_INVALID" | "TOKEN_REVOKED">;

/** For each state and action the state that follows, or why it is refused. */
const transitions: Record<TokenState, Record<TokenAction, TokenState | Refusal>> = {
  good: { use: "good", refresh: "spent", expire: "expired", revoke: "revoked" },
  // Somebody has a copy: nobody can tell who, so that the one which took its place is revoked with it.
  spent: { use: "TOKEN_REVOKED", refresh: "revoked", expire: "expired", revoke: "revoked" },
  expired: { use: "TOKEN_INVALID", refresh: "TOKEN_INVALID", expire: "expired", revoke: "expired" },
  revoked: { use: "TOKEN_REVOKED", refresh: "TOKEN_REVOKED", expire: "revoked", revoke: "revoked" },
};

/** What follows when `action` is done to a token in `state`: the next state, or why it is refused. */
export function nextTokenState(state: TokenState, action: TokenAction): TokenState | Refusal {
  return transitions[state][action];
}

/** What decides the state of a token: the token as it is kept, as it was sent, and its bearer. */
export interface TokenFacts {
  kept: { hash: string; tokenVersion: number; expiresAt: number };
  sentHash: string;
  /** Null: removed from the meeting, banned, deactivated, or the meeting is not active. */
  bearer: { tokenVersion: number } | null;
  now: number;
}

/** The state of a token that was sent. */
export function tokenState({ kept, sentHash, bearer, now }: TokenFacts): TokenState {
  if (kept.expiresAt <= now) return "expired";
  if (bearer === null || bearer.tokenVersion !== kept.tokenVersion) return "revoked";
  return kept.hash === sentHash ? "good" : "spent";
}
