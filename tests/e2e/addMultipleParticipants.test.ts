import { beforeAll, describe, expect, test } from "vitest";
import { problems } from "./openapiSchema";
import {
  getMeeting,
  listParticipants,
  newMeeting,
  request,
  run,
  signIn,
  startServer,
  valueOf,
  type Person,
  type TestServer,
} from "./server";

const PATH = "/api/run/meetings/lifecycle/addMultipleParticipants";
const RESPONSE = "Response_meetings.lifecycle.addMultipleParticipants";

type Added = { added: string[]; skipped: { userId: string; reason: string; code: string }[] };

let server: TestServer;
let host: Person;
let ann: Person;
let bob: Person;
let cyd: Person;

beforeAll(async () => {
  server = await startServer();
  [host, ann, bob, cyd] = await Promise.all([
    signIn(server, "host"),
    signIn(server, "ann"),
    signIn(server, "bob"),
    signIn(server, "cyd"),
  ]);
});

describe.each(["cloud", "site"] as const)("on the %s origin", (origin) => {
  const url = () => (origin === "cloud" ? server.url : server.siteUrl);
  const add = (meetingId: string, participants: unknown, person = host) =>
    run(url(), "meetings/lifecycle/addMultipleParticipants", { meetingId, participants }, person.token);

  test("the documented request gives the documented answer", async () => {
    const meetingId = await newMeeting(server, host);
    const answer = await request(`${url()}${PATH}`, {
      token: host.token,
      body: {
        args: {
          meetingId,
          participants: [
            { userId: ann.userId, role: "participant" },
            { userId: "user_012example", role: "observer" },
            { userId: bob.userId, role: "participant" },
          ],
        },
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
    expect(answer.body).toEqual({
      status: "success",
      value: {
        added: [expect.any(String), expect.any(String)],
        skipped: [{ userId: "user_012example", reason: "User not found", code: "user_not_found" }],
        success: true,
      },
    });
    expect(problems(RESPONSE, answer.body)).toEqual([]);
  });

  test("participant ids come in the order of the request, and each is the row of that person", async () => {
    const meetingId = await newMeeting(server, host);
    const people = [cyd, ann, bob];
    const answer = await add(
      meetingId,
      people.map(({ userId }) => ({ userId, role: "observer" })),
    );
    const { added } = valueOf<Added>(answer);
    const rows = await listParticipants(server, host, meetingId);
    const users = added.map((id) => rows.find((row) => row._id === id)?.userId);
    expect(users).toEqual(people.map(({ userId }) => userId));
  });

  test("each role that the page lists is given as it was asked for, and people are invited", async () => {
    const meetingId = await newMeeting(server, host);
    await add(meetingId, [
      { userId: ann.userId, role: "host" },
      { userId: bob.userId, role: "co-host" },
      { userId: cyd.userId, role: "observer" },
    ]);
    const rows = await listParticipants(server, host, meetingId);
    const seen = Object.fromEntries(rows.map(({ userId, role, presence }) => [userId, [role, presence]]));
    expect(seen).toEqual({
      [host.userId]: ["host", "invited"],
      [ann.userId]: ["host", "invited"],
      [bob.userId]: ["co-host", "invited"],
      [cyd.userId]: ["observer", "invited"],
    });
  });

  test("everybody who is skipped is named with reason and code, in order, and the others are added", async () => {
    const meetingId = await newMeeting(server, host, { maxParticipants: 3 });
    await add(meetingId, [{ userId: ann.userId, role: "participant" }]);
    const answer = await add(meetingId, [
      { userId: "", role: "participant" },
      { userId: "x".repeat(10_000), role: "participant" },
      { userId: meetingId, role: "participant" },
      { userId: ann.userId, role: "participant" },
      { userId: bob.userId, role: "participant" },
      { userId: bob.userId, role: "participant" },
      { userId: cyd.userId, role: "participant" },
    ]);
    const { added, skipped } = valueOf<Added>(answer);
    expect(added).toHaveLength(1);
    expect(skipped.map(({ userId, code }) => [userId, code])).toEqual([
      ["", "user_not_found"],
      ["x".repeat(10_000), "user_not_found"],
      [meetingId, "user_not_found"],
      [ann.userId, "already_participant"],
      [bob.userId, "duplicate"],
      [cyd.userId, "meeting_full"],
    ]);
    expect(skipped.slice(1, 4).map(({ reason }) => reason)).toEqual([
      "User not found",
      "User not found",
      "Already a participant",
    ]);
    expect(problems(RESPONSE, answer.body)).toEqual([]);
    expect((await getMeeting(server, host, meetingId)).participantCount).toBe(3);
  });

  test("nobody is a request too", async () => {
    const meetingId = await newMeeting(server, host);
    const answer = await add(meetingId, []);
    expect(answer.body).toEqual({ status: "success", value: { added: [], skipped: [], success: true } });
  });

  test("1,000 people are the most that one request may name", async () => {
    const meetingId = await newMeeting(server, host);
    const strangers = (count: number) => Array.from({ length: count }, () => ({ userId: "x", role: "host" }));
    expect(valueOf<Added>(await add(meetingId, strangers(1_000))).skipped).toHaveLength(1_000);
    const refused = await add(meetingId, strangers(1_001));
    expect(refused.status).toBe(origin === "cloud" ? 200 : 400);
    expect(refused.body).toMatchObject({
      status: "error",
      errorData: { code: "INVALID_ARGUMENT", issues: [{ path: "participants" }] },
    });
  });

  test.each(["ann", "nobody"])("only the host may add people, not %s", async (who) => {
    const meetingId = await newMeeting(server, host);
    await add(meetingId, [{ userId: ann.userId, role: "co-host" }]);
    const answer = await add(
      meetingId,
      [{ userId: cyd.userId, role: "host" }],
      who === "ann" ? ann : await signIn(server, "nobody"),
    );
    expect(answer.status).toBe(origin === "cloud" ? 200 : 403);
    expect(answer.body).toMatchObject({ status: "error", errorData: { code: "FORBIDDEN" } });
    expect((await getMeeting(server, host, meetingId)).participantCount).toBe(2);
  });

  test("without a token nobody is added", async () => {
    const meetingId = await newMeeting(server, host);
    const answer = await request(`${url()}${PATH}`, {
      body: { args: { meetingId, participants: [{ userId: ann.userId, role: "participant" }] } },
    });
    expect(answer.body).toMatchObject({ status: "error", errorData: { code: "UNAUTHENTICATED" } });
    expect((await getMeeting(server, host, meetingId)).participantCount).toBe(1);
  });
});

test("the runtime had nothing to blame itself for", () => {
  expect(server.faults).toEqual([]);
});
