import * as z from "zod";

/**
 * The parts of WorkOS's webhook events which the backend uses, by WorkOS's own names. Deliveries come in any order, late
 * and more than once; `updated_at` of the object, not of the event, says which state of it is the newest.
 */
const userData = z.object({
  id: z.string(),
  email: z.string(),
  email_verified: z.boolean().exactOptional(),
  external_id: z.string().nullable().exactOptional(),
  first_name: z.string().nullable().exactOptional(),
  last_name: z.string().nullable().exactOptional(),
  profile_picture_url: z.string().nullable().exactOptional(),
  updated_at: z.iso.datetime(),
});

const membershipData = z.object({
  id: z.string(),
  user_id: z.string(),
  organization_id: z.string(),
  status: z.string(),
  role: z.object({ slug: z.string() }).nullable().exactOptional(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});

export const workosUserEvent = z.object({
  id: z.string(),
  event: z.enum(["user.created", "user.updated", "user.deleted"]),
  data: userData,
});
export type WorkosUserEvent = z.infer<typeof workosUserEvent>;

export const workosMembershipEvent = z.object({
  id: z.string(),
  event: z.enum([
    "organization_membership.created",
    "organization_membership.updated",
    "organization_membership.deleted",
  ]),
  data: membershipData,
});
export type WorkosMembershipEvent = z.infer<typeof workosMembershipEvent>;

export const workosEvent = z.discriminatedUnion("event", [workosUserEvent, workosMembershipEvent]);
export type WorkosEvent = z.infer<typeof workosEvent>;

/** Which of two states of an object is the newer one. A deleted object stays deleted. */
const version = {
  deleted: z.boolean(),
  updatedAt: z.number(),
  eventId: z.string(),
};

/** Fields of the table `workosUsers`: the newest that WorkOS has said of a user. */
export const workosUserFields = {
  workosUserId: z.string(),
  email: z.string(),
  displayName: z.string().exactOptional(),
  avatarUrl: z.string().exactOptional(),
  /** What WorkOS says of the address: absent if it says nothing, empty if it does not vouch for it, else in lower case. */
  verifiedEmail: z.string().exactOptional(),
  /** The application's own id of the person. */
  externalId: z.string().exactOptional(),
  ...version,
};

/** Fields of the table `workosMemberships`: the newest that WorkOS has said of a user's place in an organization. */
export const workosMembershipFields = {
  membershipId: z.string(),
  workosUserId: z.string(),
  orgId: z.string(),
  orgRole: z.string().exactOptional(),
  /** False while the membership is pending or inactive. */
  active: z.boolean(),
  createdAt: z.number(),
  ...version,
};
