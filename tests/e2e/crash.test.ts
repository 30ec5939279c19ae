/** An answered request is on disk: no kill takes it back, and one that was not answered is there whole or not at all. */
import { watch } from "node:fs";
import { mkdir } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import {
  call,
  getMeeting,
  listParticipants,
  newDataFolder,
  newMeeting,
  run,
  signIn,
  signInAll,
  spawnServer,
  spawnStart,
  valueOf,
  type Person,
  type SpawnedServer,
} from "./server";

const ADD = "meetings/lifecycle/addMultipleParticipants";
const ROUNDS = 4;
const CALLERS = 12;
const BATCHES = [1, 10, 100];
const PEOPLE = 1_000;

/** One request to add people, and what was answered before the kill. */
type Sent = { readonly userIds: readonly string[]; added: string[] | null };

let dataFolder: string;
let server: SpawnedServer;
let host: Person;
let people: Person[];
/** Meetings that are never changed again once their round is over. */
const meetings: { meetingId: string; sent: Sent[] }[] = [];

beforeAll(async () => {
  dataFolder = await newDataFolder();
  server = await spawnServer({ dataFolder });
  host = await signIn(server, "host");
  people = await signInAll(server, PEOPLE);
});

/**
 * Callers add people to the round's meetings until the server is killed: somewhere between the first answers and a
 * whole load, with requests of every size under way.
 */
async function loadUntilKilled(round: number): Promise<Sent[]> {
  const opened = await Promise.all(
    BATCHES.map(async () => ({
      meetingId: await newMeeting(server, host, { meetingType: "webinar" }),
      sent: [] as Sent[],
      next: 0,
    })),
  );
  meetings.push(...opened);
  const answersUntilKill = 1 + Math.floor(Math.random() * 15 * (round + 1));
  let answers = 0;
  let killed: Promise<void> | undefined;
  const add = async (meeting: (typeof opened)[number], size: number) => {
    const start = meeting.next;
    meeting.next += size;
    const userIds = Array.from({ length: size }, (_, i) => people[(start + i) % PEOPLE]?.userId ?? "");
    const request: Sent = { userIds, added: null };
    meeting.sent.push(request);
    const participants = userIds.map((userId) => ({ userId, role: "participant" }));
    const args = { meetingId: meeting.meetingId, participants };
    const answer = await run(server.siteUrl, ADD, args, host.token);
    request.added = valueOf<{ added: string[] }>(answer).added;
    if (++answers === answersUntilKill) killed = server.process.kill();
  };
  const callers = Array.from({ length: CALLERS }, async (_, caller) => {
    const meeting = opened[caller % opened.length];
    const size = BATCHES[Math.floor(caller / opened.length) % BATCHES.length];
    try {
      while (meeting && size && killed === undefined) await add(meeting, size);
    } catch (error) {
      if (killed === undefined) throw error;
    }
  });
  await Promise.all(callers);
  await killed;
  return opened.flatMap(({ sent }) => sent);
}

/** What is wrong with a meeting by what was sent and answered; nothing if all is well. */
async function violations({ meetingId, sent }: { meetingId: string; sent: Sent[] }): Promise<string[]> {
  const rows = await listParticipants(server, host, meetingId);
  const { participantCount } = await getMeeting(server, host, meetingId);
  const found: string[] = [];
  if (participantCount !== rows.length) found.push(`counts ${participantCount}, but has ${rows.length} rows`);
  const userOf = new Map(rows.map((row) => [row._id, row.userId]));
  if (new Set(userOf.values()).size !== rows.length) found.push("somebody is in it twice");

  const explained = new Set([host.userId]);
  for (const { added, userIds } of sent) {
    for (const id of added ?? []) {
      const userId = userOf.get(id);
      if (userId === undefined) found.push(`lost ${id}, which was answered`);
      else if (!userIds.includes(userId)) found.push(`gave ${id} to another`);
      else explained.add(userId);
    }
  }
  // Whoever else is there was added by a request that was not answered; then all of that request must be there.
  const present = new Set(userOf.values());
  const whole = sent.filter(({ added, userIds }) => added === null && userIds.every((id) => present.has(id)));
  for (const { userIds } of whole) for (const userId of userIds) explained.add(userId);
  for (const userId of present) if (!explained.has(userId)) found.push(`has ${userId} by half a request`);
  return found;
}

describe("kill -9 under load", () => {
  const rounds = Array.from({ length: ROUNDS }, (_, round) => round);

  test.each(rounds)(
    "takes back nothing that was answered, and leaves nothing half done (round %i)",
    async (round) => {
      const sent = await loadUntilKilled(round);
      expect(sent.some(({ added }) => added !== null)).toBe(true);
      server = await spawnServer({ dataFolder });
      for (const meeting of meetings) expect(await violations(meeting)).toEqual([]);
    },
  );

  test("has met requests that were under way", () => {
    const sent = meetings.flatMap((meeting) => meeting.sent);
    expect(sent.some(({ added }) => added === null)).toBe(true);
  });

  test("leaves a database that goes on working", async () => {
    const meetingId = await newMeeting(server, host, { meetingType: "webinar" });
    const participants = people.map(({ userId }) => ({ userId, role: "observer" }));
    const { added } = await call<{ added: string[] }>(server, host.token, ADD, { meetingId, participants });
    expect(added).toHaveLength(PEOPLE);
    const sent = [{ userIds: people.map(({ userId }) => userId), added }];
    expect(await violations({ meetingId, sent })).toEqual([]);
    await server.close();
    expect((await server.process.ended).code).toBe(0);
  });
});

test.each(["format.json", "data.mdb", "admin-key", "address.json"])(
  "a first start that is killed when %s has been made can be started again",
  async (file) => {
    const folder = await newDataFolder();
    await mkdir(folder);
    const appeared = new Promise<void>((resolve) => {
      const watcher = watch(folder, (_event, name) => {
        if (name !== file) return;
        watcher.close();
        resolve();
      });
    });
    const child = await spawnStart({ dataFolder: folder });
    await appeared;
    await child.kill();
    const restarted = await spawnServer({ dataFolder: folder });
    expect(await signIn(restarted, "host")).toMatchObject({ userId: expect.any(String) });
  },
);
