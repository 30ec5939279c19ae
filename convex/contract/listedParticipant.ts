import { guest } from "./guests";
import { participant } from "./participants";
import { publicUser } from "./users";

/** Somebody in a meeting as lists show them: with the name and the picture of the person. */
export const listedParticipant = participant.extend({
  user: publicUser.pick({ _id: true, displayName: true, avatarUrl: true }).exactOptional(),
  guest: guest.pick({ _id: true, displayName: true, externalId: true }).exactOptional(),
});
