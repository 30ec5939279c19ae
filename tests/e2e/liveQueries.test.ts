import { ConvexClient } from "convex/browser";
import type { FunctionArgs, FunctionReference, FunctionReturnType } from "convex/server";
import { afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { userIdForEmail } from "../../embedded/index";
import { call, signIn } from "../../scripts/project";
import { request, startServer, type TestServer } from "./server";

let server: TestServer;
const clients: ConvexClient[] = [];

beforeAll(async () => {
  server = await startServer();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  expect(server.faults).toEqual([]);
});

function newClient(): ConvexClient {
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  clients.push(client);
  return client;
}

/** A web app's client, signed in as a person anew whenever it asks for a token. `tokens` counts how often it does. */
function connectAs(email: string, expiresInSeconds = 300) {
  const client = newClient();
  const tokens = { fetched: 0, onFetch: () => undefined as void };
  client.setAuth(async () => {
    tokens.fetched++;
    tokens.onFetch();
    const subject = userIdForEmail(email);
    return server.developmentIssuer?.sign({ subject, expiresInSeconds }) ?? null;
  });
  return { client, tokens };
}

async function newMeeting() {
  const host = await signIn(server, { email: "host@example.com" });
  const ann = await signIn(server, { email: "ann@example.com" });
  const { meetingId } = await call<{ meetingId: Id<"meetings"> }>(
    server,
    host.token,
    "meetings/lifecycle/createMeeting",
    { title: "Watched" },
  );
  return { host, ann, meetingId };
}

/** What a client is shown of a query, from the first result on. */
function watch<Q extends FunctionReference<"query">>(client: ConvexClient, query: Q, args: FunctionArgs<Q>) {
  type Result = FunctionReturnType<Q>;
  const seen: Result[] = [];
  const failures: Error[] = [];
  const waiting: { matches: (result: Result) => boolean; resolve: () => void }[] = [];
  client.onUpdate(
    query,
    args,
    (result) => {
      seen.push(result);
      for (const { matches, resolve } of waiting) if (matches(result)) resolve();
    },
    (error) => failures.push(error),
  );
  const until = (matches: (result: Result) => boolean) =>
    seen.some(matches)
      ? Promise.resolve()
      : new Promise<void>((resolve) => waiting.push({ matches, resolve }));
  return { seen, failures, until };
}

const paginationOpts = { numItems: 50, cursor: null };

function watchPeople(client: ConvexClient, meetingId: Id<"meetings">) {
  return watch(client, api.meetings.queries.listMeetingParticipants, { meetingId, paginationOpts });
}

/** The calls that have ended behind a cursor, as `convex logs` asks for them. */
async function callsSince(cursor: number): Promise<{ paths: string[]; newCursor: number }> {
  const { body } = await request(`${server.url}/api/stream_function_logs?cursor=${cursor}`, {
    method: "GET",
    headers: { Authorization: `Convex ${server.adminKey}` },
  });
  const { entries, newCursor } = body as { entries: { identifier: string }[]; newCursor: number };
  return { paths: entries.map(({ identifier }) => identifier), newCursor };
}

test("the host's page shows people as they are added over HTTP, join and leave", async () => {
  const { host, ann, meetingId } = await newMeeting();
  const { client } = connectAs("host@example.com");
  const people = watchPeople(client, meetingId);
  await people.until(({ page }) => page.length === 1);

  const entry = { userId: ann.userId, role: "co-host" };
  await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
    meetingId,
    participants: [entry],
  });
  await people.until(({ page }) =>
    page.some(({ role, presence }) => role === "co-host" && presence === "invited"),
  );

  await client.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
  const hers = connectAs("ann@example.com").client;
  await hers.mutation(api.meetings.lifecycle.joinMeeting, { meetingId });
  await people.until(({ page }) => page.some(({ presence }) => presence === "joined"));
  await hers.mutation(api.meetings.lifecycle.leaveMeeting, { meetingId });
  await people.until(({ page }) => page.some(({ presence }) => presence === "left"));
  expect(people.failures).toEqual([]);
});

test("who is removed from a meeting is told so by the query itself", async () => {
  const { host, ann, meetingId } = await newMeeting();
  const entry = { userId: ann.userId, role: "participant" };
  await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
    meetingId,
    participants: [entry],
  });
  const { client } = connectAs("ann@example.com");
  const failed = new Promise<Error & { data?: { code: string } }>((resolve) => {
    client.onUpdate(api.meetings.queries.getMeeting, { meetingId }, () => removeHer(), resolve);
  });
  const removeHer = () =>
    void call(server, host.token, "meetings/lifecycle/removeParticipant", { meetingId, userId: ann.userId });
  expect((await failed).data).toMatchObject({ code: "FORBIDDEN" });
});

test("a client whose token runs out fetches a new one and goes on", async () => {
  const { host, ann, meetingId } = await newMeeting();
  const { client, tokens } = connectAs("host@example.com", 4);
  const people = watchPeople(client, meetingId);
  await people.until(({ page }) => page.length === 1);
  const before = tokens.fetched;
  await new Promise<void>((resolve) => {
    tokens.onFetch = () => {
      if (tokens.fetched > before) resolve();
    };
  });
  const entry = { userId: ann.userId, role: "observer" };
  await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
    meetingId,
    participants: [entry],
  });
  await people.until(({ page }) => page.length === 2);
  expect(people.failures).toEqual([]);
});

test("a client without a token is refused by the query, not by the socket", async () => {
  const { meetingId } = await newMeeting();
  const client = newClient();
  const failed = new Promise<Error & { data?: { code: string } }>((resolve) => {
    client.onUpdate(api.meetings.queries.getMeeting, { meetingId }, () => undefined, resolve);
  });
  expect((await failed).data).toMatchObject({ code: "UNAUTHENTICATED" });
});

test("those who have the same part in a meeting share what they see of it, and each sees their own part", async () => {
  const { host, ann, meetingId } = await newMeeting();
  const roles = ["participant", "participant", "observer"];
  const others = await Promise.all(
    roles.map(async (role, i) => ({ role, ...(await signIn(server, { email: `watcher${i}@example.com` })) })),
  );
  const addPeople = "meetings/lifecycle/addMultipleParticipants";
  const participants = others.map(({ userId, role }) => ({ userId, role }));
  await call(server, host.token, addPeople, { meetingId, participants });
  const watchers = [{ role: "host", ...host }, ...others].map(({ role, token }) => {
    const client = newClient();
    // The same token again, as a client that is signed in anew looks at everything anew.
    client.setAuth(async () => token);
    return {
      role,
      client,
      meeting: watch(client, api.meetings.queries.getMeeting, { meetingId }),
      markers: watch(client, api.meetings.history.listMarkers, { meetingId, paginationOpts }),
    };
  });
  const all = (matches: (one: (typeof watchers)[number]) => Promise<void>) =>
    Promise.all(watchers.map(matches));
  await all(({ meeting }) => meeting.until(({ participantCount }) => participantCount === 4));
  await all(({ markers }) => markers.until(({ isDone }) => isDone));
  const { newCursor } = await callsSince(0);

  const entry = { userId: ann.userId, role: "participant" };
  await call(server, host.token, addPeople, { meetingId, participants: [entry] });
  await all(({ role, meeting }) =>
    meeting.until(({ participantCount, userRole }) => participantCount === 5 && userRole === role),
  );
  await call(server, host.token, "meetings/history/addMarker", { meetingId, text: "Ann is here" });
  await all(({ markers }) => markers.until(({ page }) => page.length === 1));

  const { paths } = await callsSince(newCursor);
  const runsOf = (path: string) => paths.filter((one) => one === path).length;
  // With each of the two changes one for the host, one for both participants and one for the observer.
  expect(runsOf("meetings/queries:getMeeting")).toBe(6);
  expect(runsOf("meetings/history:listMarkers")).toBe(1);

  const [, joining] = watchers;
  await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  await joining?.client.mutation(api.meetings.lifecycle.joinMeeting, { meetingId });
  await all(({ role, meeting }) =>
    meeting.until(
      ({ state, userRole, userPresence }) =>
        state === "active" &&
        userRole === role &&
        (userPresence === "joined") === (meeting === joining?.meeting),
    ),
  );
  expect(watchers.flatMap(({ meeting, markers }) => [...meeting.failures, ...markers.failures])).toEqual([]);
});
