import fc from "fast-check";
import { expect, test } from "vitest";
import type { Doc } from "../../convex/_generated/dataModel";
import type { DatabaseReader } from "../../convex/_generated/server";
import { findParticipant, findParticipants } from "../../convex/model/participants";
import type { PersonRef } from "../../convex/model/people";
import { newMeeting } from "./setup";

/** A meeting with so many people besides its host, users and guests in turn, and as many people who are not in it. */
async function stage(count: number) {
  const { app, meetingId, meeting } = await newMeeting();
  const { tenantId } = await meeting();
  const people = await app.run(async (ctx) => {
    const refs: PersonRef[] = [];
    for (let number = 0; number < 2 * count; number++) {
      const user = { workosUserId: `user_${number}`, email: "somebody@example.com", isActive: true };
      const ref: PersonRef =
        number % 4 < 2
          ? { userId: await ctx.db.insert("users", user) }
          : { guestId: await ctx.db.insert("guests", { tenantId: tenantId as Doc<"tenants">["_id"] }) };
      refs.push(ref);
      if (number % 2 === 1) continue;
      await ctx.db.insert("meetingParticipants", {
        ...ref,
        meetingId,
        role: "observer",
        presence: "invited",
      });
    }
    await ctx.db.patch("meetings", meetingId, { participantCount: count + 1 });
    return refs;
  });
  return { app, people, meeting: await meeting() };
}

/** The rows of people who are looked up one after the other. */
async function oneByOne(db: DatabaseReader, { _id }: Doc<"meetings">, people: readonly (PersonRef | null)[]) {
  const rows: (Doc<"meetingParticipants"> | null)[] = [];
  for (const ref of people) rows.push(ref && (await findParticipant(db, _id, ref)));
  return rows;
}

test.each([12, 127, 128])(
  "of %i people in a meeting, each who is asked for is found, and nobody who is not in it, few or many",
  async (count) => {
    const { app, people, meeting } = await stage(count);
    await fc.assert(
      fc.asyncProperty(fc.subarray(people), fc.constantFrom(0, 1, 3, 4 * count), async (some, most) => {
        const asked = some.slice(0, most);
        await app.run(async ({ db }) => {
          const twice = [...asked, null, ...asked];
          expect(await findParticipants(db, meeting, twice)).toEqual(await oneByOne(db, meeting, twice));
        });
      }),
      { numRuns: 20 },
    );
  },
);
