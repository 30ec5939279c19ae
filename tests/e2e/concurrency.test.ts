/** Many callers at once, over real sockets: whatever they do in whatever order, the meeting's books are right. */
import fc from "fast-check";
import { afterEach, beforeAll, expect, test } from "vitest";
import { histories, play, setStage, violations } from "../parity/history";
import { type Backend, valueOf as resultOf } from "../parity/story";
import { startEmbeddedBackend } from "./embeddedBackend";
import {
  getMeeting,
  listParticipants,
  newMeeting,
  run,
  signIn,
  signInAll,
  tokenFor,
  valueOf,
  type Person,
  type TestServer,
} from "./server";
import { userIdForEmail } from "../../embedded/index";

const CALLERS = 50;
const ADD = "meetings/lifecycle/addMultipleParticipants";

type Reading = { participantCount: number; maxParticipants: number };

type Added = { added: string[]; skipped: { userId: string; code: string }[] };

let server: TestServer;
let backend: Backend;
let host: Person;
let people: Person[];

beforeAll(async () => {
  ({ server, backend } = await startEmbeddedBackend());
  host = await signIn(server, "host");
  people = await signInAll(server, CALLERS);
});

afterEach(() => {
  expect(server.faults).toEqual([]);
});

/** Sends one request for each of the people, all at once. */
function all<T>(send: (person: Person, i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(people.map(send));
}

const entry = ({ userId }: Person, role = "participant") => ({ userId, role });

async function add(meetingId: string, entries: object[], caller = host): Promise<Added> {
  return valueOf<Added>(await run(server.siteUrl, ADD, { meetingId, participants: entries }, caller.token));
}

/** What is wrong with a meeting's books; nothing if all is well. */
async function mistakes(meetingId: string): Promise<string[]> {
  const rows = await listParticipants(server, host, meetingId);
  const { participantCount, maxParticipants } = await getMeeting(server, host, meetingId);
  const found: string[] = [];
  if (participantCount !== rows.length) found.push(`counts ${participantCount}, but has ${rows.length} rows`);
  if (participantCount > maxParticipants)
    found.push(`${participantCount} people on ${maxParticipants} places`);
  if (new Set(rows.map(({ userId }) => userId)).size !== rows.length) found.push("somebody has two rows");
  return found;
}

test("random histories of 50 callers leave the count right, no place taken twice, and a host", async () => {
  const perCaller = fc.array(histories, { minLength: CALLERS, maxLength: CALLERS });
  await fc.assert(
    fc.asyncProperty(perCaller, async (plays) => {
      const stage = await setStage(backend);
      const readers = backend.as({ subject: stage.subjects[0] as string });
      const readings: Reading[] = [];
      let playing = true;
      const reading = (async () => {
        while (playing) {
          const read = await readers.call("meetings/queries:getMeeting", { meetingId: stage.meetingId });
          // Person 0 may have been removed.
          if (read.ok) readings.push(resultOf(read) as Reading);
        }
      })();
      await Promise.all(
        plays.map(async (history) => {
          for (const command of history) await play(stage, command);
        }),
      );
      playing = false;
      await reading;
      expect(await violations(stage)).toEqual([]);
      // A history may give the meeting more places, so each count is held against the places of its own reading.
      const wrong = readings.filter(
        ({ participantCount, maxParticipants }) => participantCount < 1 || participantCount > maxParticipants,
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: 4, endOnFailure: true },
  );
});

test("50 requests that name the same people add each of them once", async () => {
  const meetingId = await newMeeting(server, host);
  const wanted = people.slice(0, 20);
  const answers = await all(() =>
    add(
      meetingId,
      wanted.map((person) => entry(person)),
    ),
  );
  const added = answers.flatMap((answer) => answer.added);
  expect(added).toHaveLength(wanted.length);
  expect(new Set(added).size).toBe(wanted.length);
  const skipped = answers.flatMap((answer) => answer.skipped);
  expect(skipped).toHaveLength((CALLERS - 1) * wanted.length);
  expect(new Set(skipped.map(({ code }) => code))).toEqual(new Set(["already_participant"]));
  expect(await mistakes(meetingId)).toEqual([]);
});

test("the last places of a meeting are given away once each", async () => {
  const meetingId = await newMeeting(server, host, { meetingType: "small-group" });
  const answers = await all((person) => add(meetingId, [entry(person)]));
  expect(answers.flatMap(({ added }) => added)).toHaveLength(24);
  const skipped = answers.flatMap((answer) => answer.skipped);
  expect(skipped.map(({ code }) => code)).toEqual(Array.from({ length: CALLERS - 24 }, () => "meeting_full"));
  expect((await getMeeting(server, host, meetingId)).participantCount).toBe(25);
  expect(await mistakes(meetingId)).toEqual([]);
});

test("a one-on-one with 50 invitations has two people", async () => {
  const meetingId = await newMeeting(server, host, { meetingType: "one-on-one" });
  const answers = await all((person) => add(meetingId, [entry(person)]));
  expect(answers.flatMap(({ added }) => added)).toHaveLength(1);
  expect(await mistakes(meetingId)).toEqual([]);
});

test("hosts who all remove one another leave exactly one", async () => {
  const meetingId = await newMeeting(server, host, { maxParticipants: 100 });
  const hosts = people.slice(0, 15);
  await add(
    meetingId,
    hosts.map((person) => entry(person, "host")),
  );
  const remove = (caller: Person, { userId }: Person) =>
    run(server.siteUrl, "meetings/lifecycle/removeParticipant", { meetingId, userId }, caller.token);
  const everybody = [host, ...hosts];
  // Each removes all the others, so that in the end nobody can be left but one.
  const answers = await Promise.all(
    everybody.flatMap((caller, i) =>
      everybody.slice(i + 1).flatMap((other) => [remove(caller, other), remove(other, caller)]),
    ),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(everybody.length - 1);
  const rows = (await backend.rows("meetingParticipants")).filter((row) => row["meetingId"] === meetingId);
  expect(rows).toMatchObject([{ role: "host" }]);
  const [meeting] = (await backend.rows("meetings")).filter((row) => row["_id"] === meetingId);
  expect(meeting).toMatchObject({ participantCount: 1 });
});

test("additions and removals of the same people end with the books in order", async () => {
  const meetingId = await newMeeting(server, host);
  await all(async (person, i) => {
    for (const step of [0, 1, 2]) {
      if ((i + step) % 2 === 0)
        await add(meetingId, [entry(person), entry(people[(i + 1) % CALLERS] ?? person)]);
      else {
        const args = { meetingId, userId: person.userId };
        await run(server.siteUrl, "meetings/lifecycle/removeParticipant", args, host.token);
      }
    }
  });
  expect(await mistakes(meetingId)).toEqual([]);
});

test("a person who signs up 50 times at once is one user", async () => {
  const email = "eager@example.com";
  const token = await tokenFor(server, email);
  const args = { workosUserId: userIdForEmail(email), email };
  const answers = await all(() => run(server.siteUrl, "users/mutations/upsertUser", args, token));
  expect(new Set(answers.map((answer) => valueOf<string>(answer))).size).toBe(1);
  const users = (await backend.rows("users")).filter((row) => row["workosUserId"] === args.workosUserId);
  expect(users).toHaveLength(1);
});

test("a meeting that 50 callers start is started once", async () => {
  const meetingId = await newMeeting(server, host);
  const start = () => run(server.siteUrl, "meetings/lifecycle/startMeeting", { meetingId }, host.token);
  const statuses = (await all(start)).map(({ status }) => status);
  expect(statuses.toSorted((a, b) => a - b)).toEqual([
    200,
    ...Array.from({ length: CALLERS - 1 }, () => 409),
  ]);
});
