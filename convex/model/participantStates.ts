import type { Presence } from "../contract/participants";

/** What a person in a meeting can undergo. To knock is to join where there is a lobby, to hold is to send back into it. */
export type PresenceAction = "invite" | "knock" | "join" | "admit" | "refuse" | "hold" | "leave";

/** The whole of a person's presence: for each presence and action the presence that follows, or null if it cannot be done. */
const transitions: Record<Presence, Record<PresenceAction, Presence | null>> = {
  invited: {
    invite: "invited",
    knock: "waiting",
    join: "joined",
    admit: null,
    refuse: null,
    hold: null,
    leave: "left",
  },
  waiting: {
    invite: "waiting",
    knock: "waiting",
    join: "joined",
    admit: "joined",
    refuse: "invited",
    hold: "waiting",
    leave: "left",
  },
  joined: {
    invite: "joined",
    knock: "joined",
    join: "joined",
    admit: null,
    refuse: null,
    hold: "waiting",
    leave: "left",
  },
  left: {
    invite: "invited",
    knock: "waiting",
    join: "joined",
    admit: null,
    refuse: null,
    hold: null,
    leave: "left",
  },
};

/** The presence that follows when `action` is done; null if it cannot be done. */
export function nextPresence(presence: Presence, action: PresenceAction): Presence | null {
  return transitions[presence][action];
}
