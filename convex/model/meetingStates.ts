import type { ErrorCode } from "../contract/errors";
import type { MeetingState } from "../contract/meetings";
import { fail } from "./errors";

/** What a meeting can undergo. `change` stands for adding, removing and changing the role of people. */
export type MeetingAction = "start" | "end" | "cancel" | "join" | "leave" | "change";

type Refusal = Extract<
  ErrorCode,
  "MEETING_CLOSED" | "MEETING_ALREADY_ACTIVE" | "MEETING_NOT_ACTIVE" | "MEETING_ACTIVE"
>;

const closed = {
  start: "MEETING_CLOSED",
  end: "MEETING_NOT_ACTIVE",
  cancel: "MEETING_CLOSED",
  join: "MEETING_NOT_ACTIVE",
  leave: "MEETING_CLOSED",
  change: "MEETING_CLOSED",
} as const;

/** The whole life of a meeting: for each state and action the state that follows, or why it is refused. */
const transitions: Record<MeetingState, Record<MeetingAction, MeetingState | Refusal>> = {
  scheduled: {
    start: "active",
    end: "MEETING_NOT_ACTIVE",
    cancel: "cancelled",
    join: "MEETING_NOT_ACTIVE",
    leave: "scheduled",
    change: "scheduled",
  },
  active: {
    start: "MEETING_ALREADY_ACTIVE",
    end: "concluded",
    cancel: "MEETING_ACTIVE",
    join: "active",
    leave: "active",
    change: "active",
  },
  concluded: closed,
  cancelled: closed,
};

const refusals: Record<Refusal, string> = {
  MEETING_CLOSED: "The meeting is concluded or cancelled",
  MEETING_ALREADY_ACTIVE: "The meeting is already active",
  MEETING_NOT_ACTIVE: "The meeting is not active",
  MEETING_ACTIVE: "An active meeting cannot be cancelled: end it instead",
};

/** The state that follows when `action` is done in `state`; fails with the reason if it cannot be done. */
export function nextState(state: MeetingState, action: MeetingAction): MeetingState {
  const next = transitions[state][action];
  return isRefusal(next) ? fail(next, refusals[next]) : next;
}

/** Is the meeting over for good? */
export function isClosed(state: MeetingState): boolean {
  return transitions[state] === closed;
}

function isRefusal(outcome: MeetingState | Refusal): outcome is Refusal {
  return outcome in refusals;
}
