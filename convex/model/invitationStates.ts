import type { ErrorCode } from "../contract/errors";
import type { InvitationState } from "../contract/invitations";
import { fail } from "./errors";

/** What an invitation can undergo. */
export type InvitationAction = "accept" | "decline" | "revoke" | "expire" | "resend";

type Refusal = Extract<ErrorCode, "INVITATION_CLOSED" | "INVITATION_EXPIRED">;

const closed = {
  accept: "INVITATION_CLOSED",
  decline: "INVITATION_CLOSED",
  revoke: "INVITATION_CLOSED",
  expire: "INVITATION_CLOSED",
  resend: "INVITATION_CLOSED",
} as const;

/** The whole life of an invitation: for each state and action the state that follows, or why it is refused. */
const transitions: Record<InvitationState, Record<InvitationAction, InvitationState | Refusal>> = {
  pending: {
    accept: "accepted",
    decline: "declined",
    revoke: "revoked",
    expire: "expired",
    resend: "pending",
  },
  expired: {
    accept: "INVITATION_EXPIRED",
    decline: "INVITATION_EXPIRED",
    revoke: "INVITATION_EXPIRED",
    expire: "INVITATION_EXPIRED",
    resend: "pending",
  },
  accepted: closed,
  declined: closed,
  revoked: closed,
};

const refusals: Record<Refusal, string> = {
  INVITATION_CLOSED: "The invitation has been accepted, declined or revoked",
  INVITATION_EXPIRED: "The invitation has expired",
};

/** The state an invitation is in: a pending one has expired at its time, whether anybody has written that down or not. */
export function stateAt(
  { state, expiresAt }: { state: InvitationState; expiresAt: number },
  now: number,
): InvitationState {
  return state === "pending" && expiresAt <= now ? "expired" : state;
}

/** The state that follows when `action` is done in `state`; fails with the reason if it cannot be done. */
export function nextInvitationState(state: InvitationState, action: InvitationAction): InvitationState {
  const next = transitions[state][action];
  return isRefusal(next) ? fail(next, refusals[next]) : next;
}

function isRefusal(outcome: InvitationState | Refusal): outcome is Refusal {
  return outcome in refusals;
}
