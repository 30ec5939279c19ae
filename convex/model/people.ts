import type { WithoutSystemFields } from "convex/server";
import type { Doc, Id } from "../_generated/dataModel";
import type { DatabaseReader } from "../_generated/server";
import type { ParticipantEntry } from "../contract/entries";
import { findByVerifiedEmail } from "./users";

/** A user or a guest, as rows name them. */
export type PersonRef = { userId: Id<"users">; guestId?: never } | { guestId: Id<"guests">; userId?: never };

/** Whom a row stands for. */
export function refOf({
  _id,
  userId,
  guestId,
}: {
  _id: string;
  userId?: Id<"users">;
  guestId?: Id<"guests">;
}): PersonRef {
  if (userId !== undefined) return { userId };
  if (guestId !== undefined) return { guestId };
  throw new Error(`Row ${_id} stands for nobody`);
}

/** The id of whom a row stands for. */
export function keyOf({ userId, guestId }: { userId?: Id<"users">; guestId?: Id<"guests"> }): string {
  return userId ?? guestId ?? "";
}

/** A guest of whom there is no document yet. */
type NewGuest = WithoutSystemFields<Doc<"guests">>;

/** Whom an entry names. `newGuest` is the user under an external id that is new. `key` is the same for every way to name the same person. */
export type Person =
  | { kind: "user"; key: string; ref: PersonRef; user: Doc<"users">; newGuest?: NewGuest }
  | { kind: "guest"; key: string; ref: PersonRef; guest: Doc<"guests"> }
  | { kind: "newcomer"; key: string; guest: NewGuest }
  | { kind: "unknown"; code: "user_not_found" | "guest_not_found" };

/** Whom a row may stand for already; `null`: nobody. */
export function givenRefOf(person: Person): PersonRef | null {
  return person.kind === "user" || person.kind === "guest" ? person.ref : null;
}

const NO_USER: Person = { kind: "unknown", code: "user_not_found" };
const NO_GUEST: Person = { kind: "unknown", code: "guest_not_found" };

/** Whom an address names that nobody has: nobody, or a guest who is to be made. */
export type UnknownEmail = "nobody" | "newcomer";

/**
 * Whom the entries name, in their order. External ids, guests and their addresses count within the tenant only; each of these is
 * looked up once, however often it comes.
 */
export async function findPeople(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  entries: readonly ParticipantEntry[],
  unknownEmail: UnknownEmail = "nobody",
): Promise<Person[]> {
  const others = new Map<string, Promise<Person>>();
  const found = await Promise.all(
    entries.map((entry) => {
      const { userId } = entry;
      // The most frequent naming. To look one up again takes no longer than to note all of them.
      if (userId !== undefined) return getUser(db, userId);
      const naming = otherNamingOf(entry);
      let person = others.get(naming);
      if (person === undefined)
        others.set(naming, (person = findByOtherName(db, tenantId, entry, unknownEmail)));
      return person;
    }),
  );
  return withOneEach(
    found.map((person) => (person === null ? NO_USER : "kind" in person ? person : personOfUser(person))),
  );
}

/**
 * A new external id stands for one person, whatever else the entries say: the first user whose address is given with it, or else
 * the first guest who is to be made under it. So does the address of such a guest where it is given alone.
 */
function withOneEach(people: Person[]): Person[] {
  const byExternalId = new Map<string, Person>();
  for (const person of people) {
    const externalId = newExternalIdOf(person);
    if (externalId === undefined) continue;
    const first = byExternalId.get(externalId);
    if (!first || (first.kind !== "user" && person.kind === "user")) byExternalId.set(externalId, person);
  }
  if (byExternalId.size === 0) return people;
  const byEmail = new Map<string, Person>();
  for (const person of byExternalId.values()) {
    const email = newEmailOf(person);
    if (email !== undefined && !byEmail.has(email)) byEmail.set(email, person);
  }
  return people.map((person) => {
    const externalId = newExternalIdOf(person);
    if (externalId !== undefined) return byExternalId.get(externalId) ?? person;
    return byEmail.get(newEmailOf(person) ?? "") ?? person;
  });
}

function newEmailOf(person: Person): string | undefined {
  return person.kind === "newcomer" ? person.guest.email : undefined;
}

function newExternalIdOf(person: Person): string | undefined {
  if (person.kind === "newcomer") return person.guest.externalId;
  return person.kind === "user" ? person.newGuest?.externalId : undefined;
}

/** The part of an entry by which a person is found, and which names them in answers. */
export function namedBy({ userId, externalId, guestId, email }: ParticipantEntry) {
  if (userId !== undefined) return { userId };
  if (externalId !== undefined) return { externalId };
  if (guestId !== undefined) return { guestId };
  return email === undefined ? {} : { email };
}

function otherNamingOf({ externalId, guestId, email }: ParticipantEntry): string {
  return JSON.stringify([externalId, guestId, email]);
}

function getUser(db: DatabaseReader, givenId: string): Promise<Doc<"users"> | null> {
  const userId = db.normalizeId("users", givenId);
  return userId ? db.get("users", userId) : Promise.resolve(null);
}

async function findByOtherName(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  entry: ParticipantEntry,
  unknownEmail: UnknownEmail,
): Promise<Person> {
  if (entry.externalId !== undefined) {
    const guest = await findGuestByExternalId(db, tenantId, entry.externalId);
    return guest ? personOfGuest(db, guest) : newUnderExternalId(db, tenantId, entry);
  }
  if (entry.guestId !== undefined) {
    const guestId = db.normalizeId("guests", entry.guestId);
    const guest = guestId && (await db.get("guests", guestId));
    return guest && guest.tenantId === tenantId ? personOfGuest(db, guest) : NO_GUEST;
  }
  const found = entry.email === undefined ? null : await findByEmail(db, tenantId, entry.email);
  if (found) return found;
  return unknownEmail === "newcomer" && entry.email !== undefined ? newcomer(tenantId, entry) : NO_USER;
}

/** The user of a verified address, or else the guest of the tenant who has it. */
async function findByEmail(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  given: string,
): Promise<Person | null> {
  const email = given.toLowerCase();
  const user = await findByVerifiedEmail(db, email);
  if (user) return personOfUser(user);
  const guest = await db
    .query("guests")
    .withIndex("by_email_and_tenant", (q) => q.eq("email", email).eq("tenantId", tenantId))
    .first();
  return guest && personOfGuest(db, guest);
}

export function findGuestByExternalId(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  externalId: string,
): Promise<Doc<"guests"> | null> {
  return db
    .query("guests")
    .withIndex("by_tenant_and_external_id", (q) => q.eq("tenantId", tenantId).eq("externalId", externalId))
    .unique();
}

/** The guest of the tenant who has turned out to be the user and has an external id; null if there is none. */
export function findGuestOfUser(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  userId: Id<"users">,
): Promise<Doc<"guests"> | null> {
  return guestsOfUser(db, tenantId, userId).first();
}

/** All guests of the tenant who have turned out to be the user and have an external id. */
export function findGuestsOfUser(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  userId: Id<"users">,
): Promise<Doc<"guests">[]> {
  return guestsOfUser(db, tenantId, userId).collect();
}

function guestsOfUser(db: DatabaseReader, tenantId: Id<"tenants">, userId: Id<"users">) {
  return db.query("guests").withIndex("by_tenant_and_user", (q) =>
    // An external id that is missing comes before all others.
    q.eq("tenantId", tenantId).eq("userId", userId).gt("externalId", undefined),
  );
}

/** A guest who has turned out to be a user is that user. */
async function personOfGuest(db: DatabaseReader, guest: Doc<"guests">): Promise<Person> {
  if (guest.userId) return findUser(db, guest.userId);
  return { kind: "guest", key: guest._id, ref: { guestId: guest._id }, guest };
}

async function findUser(db: DatabaseReader, userId: Id<"users">): Promise<Person> {
  const user = await db.get("users", userId);
  return user ? personOfUser(user) : NO_USER;
}

function personOfUser(user: Doc<"users">): Extract<Person, { kind: "user" }> {
  return { kind: "user", key: user._id, ref: { userId: user._id }, user };
}

/** A guest by an external id, who is a user from the start if the address of one is given. */
async function newUnderExternalId(
  db: DatabaseReader,
  tenantId: Id<"tenants">,
  entry: ParticipantEntry,
): Promise<Person> {
  const person = newcomer(tenantId, entry);
  const { email } = person.guest;
  const user = email === undefined ? null : await findByVerifiedEmail(db, email);
  return user ? { ...personOfUser(user), newGuest: { ...person.guest, userId: user._id } } : person;
}

/** A guest by an external id, or else by an address alone. */
function newcomer(tenantId: Id<"tenants">, entry: ParticipantEntry): Extract<Person, { kind: "newcomer" }> {
  const { externalId, displayName, phone, sip } = entry;
  const email = entry.email?.toLowerCase();
  return {
    kind: "newcomer",
    key: externalId === undefined ? `email:${email}` : `external:${externalId}`,
    guest: {
      tenantId,
      ...(externalId !== undefined && { externalId }),
      ...(displayName !== undefined && { displayName }),
      ...(email !== undefined && { email }),
      ...(phone !== undefined && { phone }),
      ...(sip !== undefined && { sip }),
    },
  };
}
