import { fileURLToPath } from "node:url";
import { createServer, type Server } from "../embedded/index";
import { range } from "./range";
import {
  HOST,
  INACTIVE,
  MEETING_SIZE,
  PLACES,
  SMALL_PLACES,
  storedMeetings,
  subjectOf,
  userAt,
  type World,
  type WorldIds,
} from "./world";

const SEED_APP = fileURLToPath(new URL("seedApp", import.meta.url));
const ROWS_A_CALL = 1000;
/** Calls that share a commit. */
const CALLS_AT_ONCE = 8;

/**
 * Fills a new data folder through mutations of the embedded runtime: an app of the same schema with mutations that insert
 * many rows.
 */
export async function seedEmbedded(dataFolder: string, world: World): Promise<WorldIds> {
  const server = await createServer({ appFolder: SEED_APP, dataFolder, port: 0, sitePort: 0 });
  try {
    return await fill(server, world);
  } finally {
    await server.close();
  }
}

async function fill(server: Server, world: World): Promise<WorldIds> {
  const addUsers = (subjects: string[], isActive = true) =>
    call<string[]>(server, "addUsers", { subjects, isActive });
  const [host = ""] = await addUsers([HOST]);
  const [inactiveUser = ""] = await addUsers([INACTIVE], false);
  const users = await inChunks(world.users, (from, count) =>
    addUsers(range(count).map((i) => subjectOf(from + i))),
  );
  const addMeetings = (total: number, places: number) =>
    inChunks(total, (_, count) => call<string[]>(server, "addMeetings", { host, places, count }));
  const meetings = await addMeetings(world.meetings, PLACES);
  const [smallMeeting = ""] = await addMeetings(1, SMALL_PLACES);
  const storedIds = await addMeetings(storedMeetings(world), PLACES);
  await allAtOnce(storedIds.length, async (i) => {
    const people = range(Math.min(MEETING_SIZE, world.stored - i * MEETING_SIZE));
    await call(server, "addParticipants", {
      meetingId: storedIds[i],
      users: people.map((place) => users[userAt(world, i, place)]),
    });
  });
  return { users, inactiveUser, meetings, smallMeeting, storedMeetings: storedIds };
}

async function inChunks(
  total: number,
  add: (from: number, count: number) => Promise<string[]>,
): Promise<string[]> {
  const chunks: string[][] = [];
  await allAtOnce(Math.ceil(total / ROWS_A_CALL), async (i) => {
    const from = i * ROWS_A_CALL;
    chunks[i] = await add(from, Math.min(ROWS_A_CALL, total - from));
  });
  return chunks.flat();
}

/** Runs `work` for 0 to `count`, some at once. */
async function allAtOnce(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(range(CALLS_AT_ONCE).map(worker));
}

async function call<T>({ url, adminKey }: Server, name: string, args: object): Promise<T> {
  const response = await fetch(`${url}/api/run/seed/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Convex ${adminKey}` },
    body: JSON.stringify({ args }),
  });
  const answer = (await response.json()) as { status?: string; value: T };
  if (answer.status !== "success") throw new Error(`${name}: ${JSON.stringify(answer).slice(0, 500)}`);
  return answer.value;
}
