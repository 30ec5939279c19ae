/** Guests as their tenant's people manage them. How one is found when people are added is in `people.ts`. */
import type { PaginationOptions, UserIdentity } from "convex/server";
import type * as z from "zod";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader, QueryCtx } from "../_generated/server";
import type {
  createGuest as createEndpoint,
  updateGuest as updateEndpoint,
} from "../contract/guestsMutations";
import { type CallerCtx, requireHost } from "./access";
import { bindGuest, isBindable } from "./bindGuests";
import { fail } from "./errors";
import type { Patch } from "./meetingEdit";
import { findGuestByExternalId } from "./people";
import { ensureTenant, ensureTenantOf, findTenant, findTenantOf, requireAdministered } from "./tenants";
import { findByVerifiedEmail } from "./users";

/**
 * The tenant whose guests the caller may see: that of a meeting whose host the caller is, or the one that the caller
 * administers; null if it has nothing yet. FORBIDDEN, MEETING_NOT_FOUND.
 */
export async function tenantOfGuests(
  ctx: QueryCtx & { user: Doc<"users">; identity: UserIdentity },
  givenMeetingId: string | undefined,
): Promise<Doc<"tenants"> | null> {
  if (givenMeetingId === undefined) return findTenant(ctx.db, requireAdministered(ctx));
  const { meeting } = await requireHost(ctx.db, givenMeetingId, ctx.user);
  return findTenantOf(ctx.db, meeting);
}

/** The guest of an id as a client gave it, or of an external id; null if the tenant has none. */
export async function findGuest(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  { guestId: given, externalId }: { guestId?: string; externalId?: string },
): Promise<Doc<"guests"> | null> {
  if (externalId !== undefined) return findGuestByExternalId(db, tenantId, externalId);
  const guestId = given === undefined ? null : db.normalizeId("guests", given);
  const guest = guestId && (await db.get("guests", guestId));
  return guest?.tenantId === tenantId ? guest : null;
}

/** A page of a tenant's guests, in the order of their external ids. */
export async function listGuestsOf(
  db: DatabaseReader,
  tenant: Doc<"tenants"> | null,
  paginationOpts: PaginationOptions,
) {
  if (!tenant) return { page: [], isDone: true, continueCursor: "" };
  return db
    .query("guests")
    .withIndex("by_tenant_and_external_id", (q) => q.eq("tenantId", tenant._id))
    .paginate(paginationOpts);
}

/** Makes a guest. FORBIDDEN, MEETING_NOT_FOUND, GUEST_EXISTS. */
export async function createGuest(
  ctx: CallerCtx,
  { meetingId, ...given }: z.output<typeof createEndpoint.args>,
): Promise<Id<"guests">> {
  const tenant =
    meetingId === undefined
      ? await ensureTenant(ctx, requireAdministered(ctx))
      : await ensureTenantOf(ctx, (await requireHost(ctx.db, meetingId, ctx.user)).meeting);
  await requireFree(ctx.db, tenant._id, given.externalId);
  const email = given.email?.toLowerCase();
  const user = email === undefined ? null : await findByVerifiedEmail(ctx.db, email);
  return ctx.db.insert("guests", {
    tenantId: tenant._id,
    ...given,
    ...(email !== undefined && { email }),
    ...(user && { userId: user._id }),
  });
}

/** Changes a guest of the tenant that the caller administers. FORBIDDEN, GUEST_NOT_FOUND, GUEST_EXISTS. */
export async function updateGuest(
  ctx: CallerCtx,
  { guestId: given, ...changes }: z.output<typeof updateEndpoint.args>,
): Promise<void> {
  const tenant = await findTenant(ctx.db, requireAdministered(ctx));
  const guest = tenant && (await findGuest(ctx.db, tenant._id, { guestId: given }));
  if (!guest) fail("GUEST_NOT_FOUND", "There is no such guest");
  const { externalId } = changes;
  if (externalId !== guest.externalId) await requireFree(ctx.db, guest.tenantId, externalId);
  const email = changes.email?.toLowerCase();
  const fields = Object.entries({ ...changes, ...(email !== undefined && { email }) }).map(
    ([field, value]) => [field, value ?? undefined],
  );
  await ctx.db.patch("guests", guest._id, Object.fromEntries(fields) as Patch<Doc<"guests">>);
  const user = email === undefined ? null : await findByVerifiedEmail(ctx.db, email);
  if (user?.isActive && (await isBindable(ctx.db, guest))) await bindGuest(ctx, guest._id, user._id);
}

async function requireFree(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  externalId: string | null | undefined,
): Promise<void> {
  if (typeof externalId === "string" && (await findGuestByExternalId(db, tenantId, externalId))) {
    fail("GUEST_EXISTS", "Another guest has this external id");
  }
}
