/** Whose an e-mail address is: only WorkOS says so, by a report or in the token it has signed. */
import type { UserIdentity } from "convex/server";
import type { Doc } from "../_generated/dataModel";
import type { DatabaseReader, MutationCtx } from "../_generated/server";
import { email } from "../contract/users";
import { bindGuests } from "./bindGuests";
import { acceptAll } from "./invitationAnswers";
import { findByWorkosId } from "./users";
import { findWorkosUser, isNewer } from "./workosReports";

/** An address as it is compared and stored; undefined for what is none. */
export function normalAddress(given: unknown): string | undefined {
  const parsed = email.safeParse(given);
  return parsed.success ? parsed.data.toLowerCase() : undefined;
}

/** The address for which the caller's token vouches. */
export function addressOfToken(identity: UserIdentity): string | undefined {
  // A custom token's claims keep their names, those of an OIDC token have Convex's.
  const { email: address, email_verified: verified = identity.emailVerified } = identity;
  return verified === false ? undefined : normalAddress(address);
}

/**
 * Gives a user the address of their token, and takes it from whoever had it: the last to sign in has it. What WorkOS
 * reports, of this user or of another one with this address, counts for more.
 */
export async function claimAddress(ctx: MutationCtx, user: Doc<"users">, address: string): Promise<void> {
  const [own, reported] = await Promise.all([
    findWorkosUser(ctx.db, user.workosUserId),
    newestReport(ctx.db, address),
  ]);
  if (own?.verifiedEmail === undefined && reported === undefined) await giveAddress(ctx, address, user);
}

/** Brings the addresses of a user in line with what WorkOS reports of who has them. */
export async function settleAddresses(
  ctx: MutationCtx,
  user: Doc<"users">,
  report: Doc<"workosUsers">,
): Promise<void> {
  if (report.verifiedEmail === undefined) return;
  for (const address of new Set([user.verifiedEmail, report.verifiedEmail])) {
    if (address) await settleAddress(ctx, address);
  }
}

/** The newest report decides. Without any, nobody keeps an address that their own report denies them. */
async function settleAddress(ctx: MutationCtx, address: string): Promise<void> {
  const report = await newestReport(ctx.db, address);
  const owner = report && (await findByWorkosId(ctx.db, report.workosUserId));
  if (owner) return giveAddress(ctx, address, owner);
  for (const holder of await holdersOf(ctx.db, address)) {
    const own = await findWorkosUser(ctx.db, holder.workosUserId);
    if (own?.verifiedEmail !== undefined) await dropAddress(ctx, holder);
  }
}

async function giveAddress(ctx: MutationCtx, address: string, user: Doc<"users">): Promise<void> {
  if (user.verifiedEmail === address) return;
  for (const holder of await holdersOf(ctx.db, address)) await dropAddress(ctx, holder);
  await ctx.db.patch("users", user._id, { verifiedEmail: address });
  await bindGuests(ctx, { ...user, verifiedEmail: address });
  if (user.isActive) await acceptAll(ctx, { _id: user._id, verifiedEmail: address });
}

async function dropAddress(ctx: MutationCtx, { _id }: Doc<"users">): Promise<void> {
  await ctx.db.patch("users", _id, { verifiedEmail: undefined });
}

/** One user at most, as long as all is right. */
function holdersOf(db: DatabaseReader, address: string): Promise<Doc<"users">[]> {
  return db
    .query("users")
    .withIndex("by_verified_email", (q) => q.eq("verifiedEmail", address))
    .collect();
}

/** WorkOS has one user of an address at a time; older ones whose deletion is still to be reported may be there. */
async function newestReport(db: DatabaseReader, address: string): Promise<Doc<"workosUsers"> | undefined> {
  const reports = await db
    .query("workosUsers")
    .withIndex("by_verified_email", (q) => q.eq("verifiedEmail", address))
    .collect();
  return reports.toSorted((one, other) => (isNewer(one, other) ? -1 : 1))[0];
}
