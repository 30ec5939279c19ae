import type { UserIdentity } from "convex/server";
import type { Doc } from "../_generated/dataModel";
import type * as z from "zod";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import type { ConfigChanges, tenant, TenantConfig, TenantKind } from "../contract/tenants";
import { organizationOf } from "./caller";
import { fail } from "./errors";
import { scheduleRefit } from "./tenantMeetings";

/** Which tenant: its kind, and what tells it from others of the kind. */
export interface TenantName {
  kind: TenantKind;
  /** WorkOS organization, user id, or the name that an administrator has given. */
  of: string;
}

/** Who calls, by a verified token. */
export interface Caller {
  identity: UserIdentity;
  user: Doc<"users">;
}

/** The tenant of a caller: the organization of the session, or the caller alone. */
export function tenantNameOf(identity: UserIdentity, user: Doc<"users">): TenantName {
  const { orgId } = organizationOf(identity);
  return orgId === undefined ? { kind: "personal", of: user._id } : { kind: "organization", of: orgId };
}

/** The tenant of that name; null if there is none yet. */
export function findTenant(db: DatabaseReader, tenantName: TenantName): Promise<Doc<"tenants"> | null> {
  return db
    .query("tenants")
    .withIndex("by_key", (q) => q.eq("key", keyOf(tenantName)))
    .unique();
}

/** The caller's own tenant, for who administers it: admins of the organization, and everybody without one. FORBIDDEN. */
export function requireAdministered(caller: Caller): TenantName {
  const tenantName = tenantNameOf(caller.identity, caller.user);
  const { orgRole } = organizationOf(caller.identity);
  if (tenantName.kind === "organization" && orgRole !== "admin") {
    fail("FORBIDDEN", "Only for admins of the organization");
  }
  return tenantName;
}

/** A tenant as its people see it. */
export function tenantView({
  _id,
  _creationTime,
  kind,
  name,
  config,
}: Doc<"tenants">): z.output<typeof tenant> {
  return { _id, _creationTime, kind, name, config };
}

/** Changes fields of a tenant's configuration, of which null brings the default back; gives the whole of it. */
export async function changeConfig(
  ctx: MutationCtx,
  tenant: Doc<"tenants">,
  changes: ConfigChanges,
): Promise<TenantConfig> {
  const fields = Object.entries({ ...tenant.config, ...changes }).filter(([, value]) => value !== null);
  const config = Object.fromEntries(fields) as TenantConfig;
  await ctx.db.patch("tenants", tenant._id, { config });
  await scheduleRefit(ctx, tenant._id, tenant.config, config);
  return config;
}

/** Makes a tenant of an administrator's; TENANT_EXISTS. */
export async function createTenant(ctx: MutationCtx, name: string): Promise<Doc<"tenants">> {
  const tenantName = { kind: "custom", of: name } as const;
  if (await findTenant(ctx.db, tenantName)) fail("TENANT_EXISTS", "There is a tenant of this name");
  return ensureTenant(ctx, tenantName);
}

/** The tenant, which is made if it is not there yet. */
export async function ensureTenant(ctx: MutationCtx, tenantName: TenantName): Promise<Doc<"tenants">> {
  const found = await findTenant(ctx.db, tenantName);
  if (found) return found;
  const { kind, of } = tenantName;
  const tenantId = await ctx.db.insert("tenants", {
    kind,
    key: keyOf(tenantName),
    name: kind === "personal" ? "Personal" : of,
    config: {},
  });
  return (await ctx.db.get("tenants", tenantId)) as Doc<"tenants">;
}

/** The tenant of a meeting; null for a meeting that is older than tenants and has needed none yet. */
export async function findTenantOf(
  db: DatabaseReader,
  { tenantId }: Doc<"meetings">,
): Promise<Doc<"tenants"> | null> {
  return tenantId === undefined ? null : db.get("tenants", tenantId);
}

/** The tenant of a meeting. One that is older than tenants gets that of its organizer. */
export async function ensureTenantOf(ctx: MutationCtx, meeting: Doc<"meetings">): Promise<Doc<"tenants">> {
  const found = await findTenantOf(ctx.db, meeting);
  if (found) return found;
  const organizer = meeting.organizerId && (await ctx.db.get("users", meeting.organizerId));
  const tenant = await ensureTenant(
    ctx,
    organizer?.orgId === undefined
      ? { kind: "personal", of: meeting.organizerId ?? meeting._id }
      : { kind: "organization", of: organizer.orgId },
  );
  await ctx.db.patch("meetings", meeting._id, { tenantId: tenant._id });
  return tenant;
}

/**
 * An administrator's tenant and an organization of one name are one tenant, so that credentials made for a WorkOS
 * organization reach its meetings.
 */
function keyOf({ kind, of }: TenantName): string {
  return `${kind === "personal" ? "personal" : "organization"}:${of}`;
}
