import type { Presence } from "../contract/participants";

/** What a person in a meeting can undergo. To knock is to join where there is a lobby. */
export type PresenceAction = "invite" | "knock" | "join" | "admit" | "refuse" | "leave";

/** The whole of a person's presence: for each presence and action the presence that follows, or null if it cannot be done. */
const transitions: Record<Presence, Record<PresenceAction, Presence | null>> = {
  invited: {
    invite: "invited",
    knock: "waiting",
    join: "joined",
    admit: null,
    refuse: null,
    leave: "left",
  },
  waiting: {
    invite: "waiting",
    knock: "waiting",
    join: "joined",
    admit: "joined",
    refuse: "invited",
    leave: "left",
  },
  joined: {
    invite: "joined",
    knock: "joined",
    join: "joined",
    admit: null,
    refuse: null,
    leave: "left",
  },
  left: {
    invite: "invited",
    knock: "waiting",
    join: "joined",
    admit: null,
    refuse: null,
    leave: "left",
  },
};

/** The presence that follows when `action` is done; null if only those can undergo it who wait in the lobby. */
export function nextPresence(presence: Presence, action: PresenceAction): Presence | null {
  return transitions[presence][action];
}
