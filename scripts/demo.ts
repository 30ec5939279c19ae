/** `npm run demo`: plays the main job on the running server: a host adds 1000 people to a meeting in one request. */
import { call, connectTo, readCommand, requireDevelopment, signIn } from "./project";

const PEOPLE = 1_000;
/** Requests under way at once while the users are created. */
const CONCURRENCY = 32;

type Added = { added: string[]; skipped: { userId: string; reason: string; code: string }[] };

const { dataFolder } = readCommand("Usage: npm run demo -- [--data <folder>]");
requireDevelopment();
const server = await connectTo(dataFolder);
console.log(`Server: ${server.url}`);

const host = await signIn(server, { email: "host@example.com" });
const userIds = await timed(`create ${PEOPLE} users, each by a request of their own`, createUsers);
const { meetingId } = await call<{ meetingId: string }>(
  server,
  host.token,
  "meetings/lifecycle/createMeeting",
  {
    title: "All hands",
    meetingType: "webinar",
  },
);

const participants = userIds.map((userId) => ({ userId, role: "participant" }));
const add = (entries: object[]) =>
  call<Added>(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
    meetingId,
    participants: entries,
  });
report(await timed(`add ${PEOPLE} people in one request`, () => add(participants)));

const again = [...participants.slice(0, 3), { userId: "nobody", role: "observer" }];
report(await timed("add three of them again, and one whom nobody knows", () => add(again)));

const meeting = await call<{ participantCount: number }>(server, host.token, "meetings/queries/getMeeting", {
  meetingId,
});
console.log(`participantCount: ${meeting.participantCount} (the host and ${PEOPLE} people)`);
await server.close();

async function createUsers(): Promise<string[]> {
  const ids: string[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < PEOPLE; i = next++) {
      ids[i] = (await signIn(server, { email: `person${i}@example.com` })).userId;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return ids;
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  console.log(`${what}: ${(performance.now() - startedAt).toFixed(0)} ms`);
  return result;
}

function report({ added, skipped }: Added): void {
  console.log(`  added ${added.length}, skipped ${skipped.length}`);
  for (const { userId, reason, code } of skipped) console.log(`  skipped ${userId}: ${reason} (${code})`);
}
