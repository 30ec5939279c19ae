/** A job outlives the server: no kill makes it add somebody twice, or leave somebody out. */
import { ConvexClient } from "convex/browser";
import type { FunctionReturnType } from "convex/server";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import {
  call,
  getMeeting,
  listParticipants,
  newDataFolder,
  newMeeting,
  signIn,
  spawnServer,
  type Person,
  type SpawnedServer,
} from "./server";

const PEOPLE = 6_000;
/** At most: after a restart the job may be over before anybody looks. */
const KILLS = 2;

type Job = FunctionReturnType<typeof api.meetings.jobs.getJob>;
type JobArgs = { meetingId: Id<"meetings">; jobId: Id<"jobs"> };

/** Waits until what is to be seen of the job has come to pass. */
async function watchUntil(
  server: SpawnedServer,
  host: Person,
  args: JobArgs,
  isIt: (job: Job) => boolean,
): Promise<Job> {
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  client.setAuth(() => Promise.resolve(host.token));
  try {
    return await new Promise<Job>((resolve, reject) => {
      const look = (job: Job) => {
        if (isIt(job)) resolve(job);
      };
      client.onUpdate(api.meetings.jobs.getJob, args, look, reject);
    });
  } finally {
    await client.close();
  }
}

test("an import goes on to its end however often the server is killed, and adds each person once", async () => {
  const dataFolder = await newDataFolder();
  let server = await spawnServer({ dataFolder });
  const host = await signIn(server, "host");
  const meetingId = (await newMeeting(server, host, { meetingType: "webinar" })) as Id<"meetings">;
  const lines = Array.from({ length: PEOPLE }, (_, index) => `p${index}@example.com,P${index}`);
  const { jobId } = await call<{ jobId: Id<"jobs"> }>(server, host.token, "meetings/jobs/startImport", {
    meetingId,
    format: "csv",
    // One line is wrong and one comes twice.
    text: ["email,name", ...lines, "nobody,Nobody", lines[0]].join("\n"),
  });
  const args = { meetingId, jobId };
  let done = 1;
  let kills = 0;
  while (kills < KILLS) {
    const seen = await watchUntil(server, host, args, (job) => job.done > done || job.state !== "running");
    if (seen.state !== "running") break;
    await server.process.kill();
    ({ done } = seen);
    kills++;
    server = await spawnServer({ dataFolder });
  }
  expect(kills).toBeGreaterThan(0);

  const job = await watchUntil(server, host, args, ({ state }) => state !== "running");
  expect(job).toMatchObject({
    state: "done",
    total: PEOPLE + 2,
    done: PEOPLE + 2,
    added: PEOPLE,
    skippedCount: 2,
    skipped: [{ code: "invalid_line" }, { code: "already_participant" }],
  });
  const rows = await listParticipants(server, host, meetingId);
  expect(rows).toHaveLength(PEOPLE + 1);
  const names = rows.map((row) => (row as { displayName?: string }).displayName).filter(Boolean);
  expect(new Set(names)).toEqual(new Set(Array.from({ length: PEOPLE }, (_, index) => `P${index}`)));
  expect((await getMeeting(server, host, meetingId)).participantCount).toBe(PEOPLE + 1);
});
