import * as z from "zod";
import { endpoint } from "./endpoint";
import { externalId, phone, sip } from "./guests";
import { id } from "./ids";
import { name } from "./participantData";
import { email } from "./users";

const tag = "Guests";

export const createGuest = endpoint({
  path: "guests/mutations/createGuest",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Makes a guest: a person without an account, who can be added to meetings of the tenant. For admins of the caller's own tenant, and, with `meetingId`, for hosts of that meeting, in its tenant. A guest with the verified address of a user is that user from the start.",
  args: z
    .strictObject({
      meetingId: id("meetings").exactOptional(),
      externalId: externalId.exactOptional(),
      displayName: name.exactOptional(),
      email: email.exactOptional(),
      phone: phone.exactOptional(),
      sip: sip.exactOptional(),
    })
    .refine((args) => Object.keys(args).some((field) => field !== "meetingId"), {
      message: "At least one of externalId, displayName, email, phone and sip is required",
    }),
  returns: id("guests"),
  errors: ["FORBIDDEN", "MEETING_NOT_FOUND", "GUEST_EXISTS"],
  example: {
    args: { externalId: "crm-7", displayName: "Grace Hopper", email: "grace@example.com" },
    value: "guest_123example",
  },
});

export const updateGuest = endpoint({
  path: "guests/mutations/updateGuest",
  kind: "mutation",
  tag,
  access: "user",
  description:
    "Changes the fields given of a guest; null removes one. Only for admins of the guest's tenant, since who has the address becomes whatever the guest is. A guest who gets the verified address of a user becomes that user, in all meetings.",
  args: z.strictObject({
    guestId: id("guests"),
    externalId: externalId.nullable().exactOptional(),
    displayName: name.nullable().exactOptional(),
    email: email.nullable().exactOptional(),
    phone: phone.nullable().exactOptional(),
    sip: sip.nullable().exactOptional(),
  }),
  returns: z.null(),
  errors: ["FORBIDDEN", "GUEST_NOT_FOUND", "GUEST_EXISTS"],
  example: { args: { guestId: "guest_123example", phone: "+44 20 7946 0018", sip: null }, value: null },
});
