import fc from "fast-check";
import { expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { ParticipantRole } from "../../convex/contract/participants";
import { codeOf, newMeeting, type Person, signUp, signUpAll } from "./setup";

const { addMultipleParticipants, replaceParticipants, updateMeeting } = api.meetings.lifecycle;

type Options = Partial<Omit<(typeof replaceParticipants)["_args"], "meetingId" | "participants">>;

/** A meeting with its host, Ada and Bob, and how its host replaces the list. */
async function stage() {
  const setting = await newMeeting();
  const { app, host, meetingId, add, meeting } = setting;
  const [ada, bob, cyd] = await signUpAll(app, "ada", "bob", "cyd");
  await add([ada, "participant"], [bob, "observer"]);
  const replace = async (wished: (readonly [Person, ParticipantRole])[], options: Options = {}) =>
    host.as.mutation(replaceParticipants, {
      meetingId,
      participants: wished.map(([{ id: userId }, role]) => ({ userId, role })),
      expectedVersion: (await meeting()).version ?? 0,
      ...options,
    });
  const list = async () =>
    (await setting.rows())
      .map(({ userId, role }) => `${String(userId)} ${role}`)
      .toSorted((a, b) => (a < b ? -1 : 1));
  return { ...setting, ada, bob, cyd, replace, list };
}

test("whoever is not listed goes, who is new comes, and who stays gets the role of the entry", async () => {
  const { host, ada, bob, cyd, replace, rows, meeting } = await stage();
  const [, adaRow, bobRow] = await rows();
  const outcome = await replace([
    [cyd, "co-host"],
    [ada, "observer"],
    [host, "host"],
  ]);
  expect(outcome.removed).toEqual([bobRow?._id]);
  expect(outcome.updated).toContain(adaRow?._id);
  expect([outcome.added.length, outcome.skipped]).toEqual([1, []]);
  expect((await rows()).map(({ userId, role }) => [userId, role])).toEqual([
    [host.id, "host"],
    [ada.id, "observer"],
    [cyd.id, "co-host"],
  ]);
  expect(await meeting()).toMatchObject({ participantCount: 3, version: outcome.version });
  expect(bob.id).not.toBe(ada.id);
});

test("a list that was made for another version is refused, and changes nothing", async () => {
  const { host, ada, add, cyd, replace, list, meeting } = await stage();
  const expectedVersion = (await meeting()).version ?? 0;
  await add([cyd, "participant"]);
  const before = await list();
  const call = replace(
    [
      [host, "host"],
      [ada, "host"],
    ],
    { expectedVersion },
  );
  expect(await codeOf(call)).toBe("VERSION_CONFLICT");
  expect(await list()).toEqual(before);
});

test("a meeting is never without a host, but one host can follow another", async () => {
  const { host, ada, replace, list } = await stage();
  const before = await list();
  expect(await codeOf(replace([]))).toBe("LAST_HOST");
  expect(await codeOf(replace([[ada, "co-host"]]))).toBe("LAST_HOST");
  expect(await list()).toEqual(before);
  await replace([
    [host, "participant"],
    [ada, "host"],
  ]);
  expect(await list()).toEqual(
    [`${host.id} participant`, `${ada.id} host`].toSorted((a, b) => (a < b ? -1 : 1)),
  );
});

test("those who go make room for those who come, and the rest goes to those who wait", async () => {
  const { app, host, cyd, meetingId, replace, meeting, list } = await stage();
  const dee = await signUp(app, "dee");
  await host.as.mutation(updateMeeting, { meetingId, maxParticipants: 3 });
  await host.as.mutation(addMultipleParticipants, {
    meetingId,
    participants: [{ userId: dee.id, role: "observer" }],
    onFull: "waitlist",
  });
  await replace([
    [host, "host"],
    [cyd, "participant"],
  ]);
  expect(await list()).toContain(`${dee.id} observer`);
  expect(await meeting()).toMatchObject({ participantCount: 3, waitlistCount: 0 });
});

test("a dry run changes nothing, and a repetition is answered alike", async () => {
  const { host, cyd, replace, list, meeting } = await stage();
  const before = await list();
  const expectedVersion = (await meeting()).version ?? 0;
  const wished = [
    [host, "host"],
    [cyd, "participant"],
  ] as const;
  await replace([...wished], { dryRun: true });
  expect(await list()).toEqual(before);
  const first = await replace([...wished], { idempotencyKey: "k", expectedVersion });
  expect(await replace([...wished], { idempotencyKey: "k", expectedVersion })).toEqual(first);
});

test("whatever is wished, the list is it, or stays if no host would be left", async () => {
  const { app, host, replace, rows, meeting } = await stage();
  const people = [host, ...(await signUpAll(app, "p1", "p2", "p3", "p4"))];
  const role = fc.constantFrom<ParticipantRole>("host", "co-host", "participant", "observer");
  const wishes = fc.uniqueArray(fc.tuple(fc.nat({ max: 4 }), role), { selector: ([who]) => who });
  // Whoever is to decide next must still be a host.
  const wishesOfHost = wishes.map((list) => list.filter(([who]) => who !== 0));
  await fc.assert(
    fc.asyncProperty(wishesOfHost, async (list) => {
      const wished = [
        ...list.map(([who, as]) => [people[who] as Person, as] as const),
        [host, "host"] as const,
      ];
      await replace(wished);
      const now = (await rows()).map(({ userId, role: as }) => `${String(userId)} ${as}`);
      expect(new Set(now)).toEqual(new Set(wished.map(([{ id }, as]) => `${id} ${as}`)));
      expect((await meeting()).participantCount).toBe(now.length);
      expect(await codeOf(replace(wished.filter(([, as]) => as !== "host")))).toBe("LAST_HOST");
    }),
    { numRuns: 20 },
  );
});
