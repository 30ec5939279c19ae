import { range } from "../../range";
import { storedMeetings, type World, type WorldIds } from "../../world";
import { wireId } from "./ids";

/** The keys that the world has in every peer. Meetings begin with 1; those of stored participants follow the small one. */
export function peerKeys(world: World) {
  return { host: 1, inactiveUser: 2, firstUser: 3, firstMeeting: 1, smallMeeting: world.meetings + 1 };
}

export function peerIds(world: World): WorldIds {
  const keys = peerKeys(world);
  return {
    users: range(world.users).map((i) => wireId("user", keys.firstUser + i)),
    inactiveUser: wireId("user", keys.inactiveUser),
    meetings: range(world.meetings).map((i) => wireId("meeting", keys.firstMeeting + i)),
    smallMeeting: wireId("meeting", keys.smallMeeting),
    storedMeetings: range(storedMeetings(world)).map((i) => wireId("meeting", keys.smallMeeting + 1 + i)),
  };
}
