import { expect, test } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import { codeOf, newMeeting, signUp } from "./setup";

const { cancelJob, getJob, listJobs, startAddOrganization, startImport } = api.meetings.jobs;

/** A meeting for many, its jobs, and how they are seen to the end. */
async function stage(maxParticipants = 5000) {
  const setting = await newMeeting({ maxParticipants });
  const { app, host, meetingId } = setting;
  return {
    ...setting,
    start: (text: string, options: { onFull?: "waitlist"; onExisting?: "return" | "update" } = {}) =>
      host.as.mutation(startImport, { meetingId, format: "csv", text, ...options }),
    finish: () => app.finishAllScheduledFunctions(() => undefined),
    jobPages: () => app.run((ctx) => ctx.db.query("jobPages").collect()),
  };
}

const list = (count: number) =>
  ["email", ...Array.from({ length: count }, (_, index) => `p${index}@example.com`)].join("\n");

test("an import of more than a thousand lines adds each person once, and says of each line what was wrong", async () => {
  const { host, meetingId, start, finish, meeting, rows, jobPages } = await stage();
  const { jobId } = await start(`${list(1100)}\nbad\nP0@example.com`);
  expect(await host.as.query(getJob, { meetingId, jobId })).toMatchObject({
    state: "running",
    total: 1102,
    done: 1,
  });
  await finish();
  const job = await host.as.query(getJob, { meetingId, jobId });
  expect(job).toMatchObject({ state: "done", total: 1102, done: 1102, added: 1100, skippedCount: 2 });
  expect(job.skipped).toMatchObject([
    { line: 1102, code: "invalid_line" },
    { line: 1103, code: "already_participant" },
  ]);
  expect(job).not.toHaveProperty("cursor");
  expect((await meeting()).participantCount).toBe(1101);
  expect(await rows()).toHaveLength(1101);
  expect(await jobPages()).toEqual([]);
}, 60_000);

test("an import whose names take more room when they are kept adds each person too", async () => {
  const { host, meetingId, start, finish, rows } = await stage();
  const name = "\u0001".repeat(200);
  const people = Array.from({ length: 251 }, (_, n) => `${name}${n},${name},${name},${name.slice(72)}`);
  const { jobId } = await start(["externalId,name,nickname,department", ...people].join("\n"));
  await finish();
  expect(await host.as.query(getJob, { meetingId, jobId })).toMatchObject({
    state: "done",
    total: 251,
    done: 251,
    added: 251,
  });
  const guests = (await rows()).filter(({ guestId }) => guestId !== undefined);
  expect(guests.map(({ nickname }) => nickname)).toEqual(people.map(() => name));
}, 60_000);

test("whoever starts an import is told which columns it ignores", async () => {
  const { start, finish } = await stage();
  expect(await start("email,shoe size,name\nada@example.com,39,Ada")).toMatchObject({
    ignoredColumns: ["shoe size"],
  });
  await finish();
  expect(await start(list(1))).not.toHaveProperty("ignoredColumns");
});

test("an organization is added whole, however many its people are", async () => {
  const { app, host, meetingId, finish, meeting } = await stage();
  const boss = await signUp(app, "boss", { org_id: "org_1" });
  await host.as.mutation(api.meetings.lifecycle.addParticipant, { meetingId, userId: boss.id, role: "host" });
  await app.run(async (ctx) => {
    for (let index = 0; index < 600; index++) {
      const workosUserId = `w${index}`;
      const isActive = index % 100 !== 0;
      await ctx.db.insert("users", { workosUserId, email: "x@example.com", isActive, orgId: "org_1" });
    }
  });
  const args = { meetingId, orgId: "org_1", role: "observer" as const };
  expect(await codeOf(host.as.mutation(startAddOrganization, args))).toBe("FORBIDDEN");
  const { jobId } = await boss.as.mutation(startAddOrganization, args);
  await finish();
  expect(await boss.as.query(getJob, { meetingId, jobId })).toMatchObject({
    state: "done",
    done: 595,
    added: 594,
    skipped: [{ userId: boss.id, code: "already_participant" }],
  });
  expect((await meeting()).participantCount).toBe(596);
}, 60_000);

test("people wait, or are there, as the policy says", async () => {
  const { host, meetingId, start, finish, meeting } = await stage(301);
  await start(list(10));
  await finish();
  const { jobId } = await start(list(320), { onFull: "waitlist", onExisting: "return" });
  await finish();
  expect(await host.as.query(getJob, { meetingId, jobId })).toMatchObject({
    state: "done",
    added: 290,
    existing: 10,
    waitlisted: 20,
    skippedCount: 0,
  });
  expect(await meeting()).toMatchObject({ participantCount: 301, waitlistCount: 20 });
}, 60_000);

test("a job ends with the reason when its starter is no host any more, and when the meeting is over", async () => {
  const { app, host, meetingId, start, finish, rows, jobPages } = await stage();
  const other = await signUp(app, "other");
  await host.as.mutation(api.meetings.lifecycle.addParticipant, {
    meetingId,
    userId: other.id,
    role: "host",
  });
  const { jobId } = await start(list(300));
  await other.as.mutation(api.meetings.lifecycle.updateParticipantRole, {
    meetingId,
    userId: host.id,
    newRole: "participant",
  });
  await finish();
  expect(await other.as.query(getJob, { meetingId, jobId })).toMatchObject({
    state: "failed",
    error: { code: "FORBIDDEN" },
    added: 0,
  });
  expect(await codeOf(host.as.query(getJob, { meetingId, jobId }))).toBe("FORBIDDEN");
  const second = await other.as.mutation(startImport, { meetingId, format: "csv", text: list(2) });
  await other.as.mutation(api.meetings.lifecycle.cancelMeeting, { meetingId });
  await finish();
  expect(await other.as.query(getJob, { meetingId, jobId: second.jobId })).toMatchObject({
    state: "failed",
    error: { code: "MEETING_CLOSED" },
  });
  expect([(await rows()).length, (await jobPages()).length]).toEqual([2, 0]);
});

test("a job that is cancelled does nothing more, and another can be started then alone", async () => {
  const { host, meetingId, start, finish, rows, jobPages } = await stage();
  const { jobId } = await start(list(300));
  expect(await codeOf(start(list(1)))).toBe("JOB_RUNNING");
  await host.as.mutation(cancelJob, { meetingId, jobId });
  await finish();
  await host.as.mutation(cancelJob, { meetingId, jobId });
  expect(await host.as.query(getJob, { meetingId, jobId })).toMatchObject({ state: "cancelled", added: 0 });
  expect([(await rows()).length, (await jobPages()).length]).toEqual([1, 0]);
  await start(list(1));
  await finish();
  const { page } = await host.as.query(listJobs, {
    meetingId,
    paginationOpts: { numItems: 5, cursor: null },
  });
  expect(page.map(({ state }) => state)).toEqual(["done", "cancelled"]);
});

test("a job of another meeting is unknown", async () => {
  const { app, start } = await stage();
  const { jobId } = await start(list(1));
  const other = await signUp(app, "other");
  const { meetingId } = await other.as.mutation(api.meetings.lifecycle.createMeeting, { title: "Other" });
  expect(await codeOf(other.as.query(getJob, { meetingId, jobId }))).toBe("JOB_NOT_FOUND");
  expect(await codeOf(other.as.mutation(cancelJob, { meetingId, jobId }))).toBe("JOB_NOT_FOUND");
});

test("jobs are deleted a week after their end, those that run are not", async () => {
  const { app, start, finish } = await stage();
  const { jobId } = await start(list(1));
  await finish();
  const running = await start(list(1));
  const week = 7 * 24 * 60 * 60_000;
  await app.run((ctx) => ctx.db.patch("jobs", jobId, { finishedAt: Date.now() - week - 1 }));
  await app.mutation(internal.cleanUp.deleteOldJobs, {});
  const left = await app.run((ctx) => ctx.db.query("jobs").collect());
  expect(left.map(({ _id }) => _id)).toEqual([running.jobId]);
});
