import * as z from "zod";
import { endpoint } from "./endpoint";
import { externalId, guest } from "./guests";
import { id } from "./ids";
import { examplePage, examplePaginationOpts, pageOf, paginationOpts } from "./pagination";

const tag = "Guests";

const example = {
  _id: "guest_123example",
  _creationTime: 1_767_225_600_000,
  tenantId: "tenant_123example",
  externalId: "crm-7",
  displayName: "Grace Hopper",
  email: "grace@example.com",
};

const who =
  "For admins of the caller's own tenant, and, with `meetingId`, for hosts of that meeting, in its tenant.";

export const getGuest = endpoint({
  path: "guests/queries/getGuest",
  kind: "query",
  tag,
  access: "user",
  description: `A guest, by the guest's id or the application's own; null if unknown. ${who}`,
  args: z
    .strictObject({
      meetingId: id("meetings").exactOptional(),
      guestId: id("guests").exactOptional(),
      externalId: externalId.exactOptional(),
    })
    .refine(({ guestId, externalId }) => (guestId === undefined) !== (externalId === undefined), {
      path: ["guestId"],
      message: "Exactly one of guestId and externalId is required",
    }),
  returns: guest.nullable(),
  errors: ["FORBIDDEN", "MEETING_NOT_FOUND"],
  example: { args: { externalId: "crm-7" }, value: example },
});

export const listGuests = endpoint({
  path: "guests/queries/listGuests",
  kind: "query",
  tag,
  access: "user",
  description: `A page of the guests of a tenant, by their external ids. ${who}`,
  args: z.strictObject({ meetingId: id("meetings").exactOptional(), paginationOpts }),
  returns: pageOf(guest),
  errors: ["FORBIDDEN", "MEETING_NOT_FOUND"],
  example: {
    args: { paginationOpts: examplePaginationOpts },
    value: examplePage(example),
  },
});
