/** The app's own functions on convex-test, its mock of the Convex backend in memory. */
import { readdir } from "node:fs/promises";
import { convexTest } from "convex-test";
import { makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import type { ErrorCode } from "../../../convex/contract/errors";
import schema from "../../../convex/schema";
import { range } from "../../range";
import { HOST, INACTIVE, PLACES, SMALL_PLACES, subjectOf, type WorldIds } from "../../world";
import { readWorld, writeIds } from "../../worldFiles";
import { Refusal, success } from "../shared/answers";
import { ADD_PATH, GET_MEETING_PATH, readAddRequest, readMeetingId } from "../shared/requests";
import { announce, createJsonServer, dataFolder, listen } from "../shared/serve";
import { createVerify } from "../shared/tokens";

const backend = convexTest(schema, await loadModules());
await writeIds(dataFolder(), await seed());

const addParticipants = makeFunctionReference<"mutation">("meetings/lifecycle:addMultipleParticipants");
const getMeeting = makeFunctionReference<"query">("meetings/queries:getMeeting");
const server = createJsonServer(createVerify(process.env), async ({ path, subject, body }) => {
  const caller = backend.withIdentity({ subject });
  try {
    if (path === GET_MEETING_PATH) {
      return success(await caller.query(getMeeting, { meetingId: readMeetingId(body) }));
    }
    if (path !== ADD_PATH) throw new Refusal("NOT_FOUND");
    return success(await caller.mutation(addParticipants, readAddRequest(body)));
  } catch (error) {
    if (!(error instanceof ConvexError)) throw error;
    throw new Refusal((error.data as { code: ErrorCode }).code);
  }
});
announce(await listen(server));

/** The app's modules as `import.meta.glob` would give them. */
async function loadModules(): Promise<Record<string, () => Promise<unknown>>> {
  const app = new URL("../../../convex/", import.meta.url);
  const files = await readdir(app, { recursive: true });
  return Object.fromEntries(
    files
      .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith(".d.ts"))
      .map((file) => [`/convex/${file}`, () => import(new URL(file, app).href)]),
  );
}

/** Everything is in memory, so each start fills it anew; participants beforehand would take minutes. */
async function seed(): Promise<WorldIds> {
  const world = await readWorld(dataFolder());
  if (world.stored > 0) throw new Error("convex-test is measured with nobody stored");
  return backend.run(async ({ db }) => {
    const addUser = (workosUserId: string, isActive = true) =>
      db.insert("users", { workosUserId, email: `${workosUserId}@example.com`, isActive });
    const host = await addUser(HOST);
    const addMeeting = async (maxParticipants: number) => {
      const meeting = {
        organizerId: host,
        title: "Meeting",
        state: "scheduled",
        duration: 1_800_000,
      } as const;
      const counts = { maxParticipants, participantCount: 1, updatedAt: 0 };
      const meetingId = await db.insert("meetings", { ...meeting, ...counts });
      await db.insert("meetingParticipants", { meetingId, userId: host, role: "host", presence: "invited" });
      return meetingId;
    };
    return {
      users: await Promise.all(range(world.users).map((i) => addUser(subjectOf(i)))),
      inactiveUser: await addUser(INACTIVE, false),
      meetings: await Promise.all(range(world.meetings).map(() => addMeeting(PLACES))),
      smallMeeting: await addMeeting(SMALL_PLACES),
      storedMeetings: [],
    };
  });
}
