import { ConvexClient } from "convex/browser";
import { afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { userIdForEmail } from "../../embedded/index";
import { call, signIn } from "../../scripts/project";
import { startServer, type TestServer } from "./server";

let server: TestServer;
const clients: ConvexClient[] = [];

beforeAll(async () => {
  server = await startServer();
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  expect(server.faults).toEqual([]);
});

/** A web app's client, signed in as a person. `tokens` counts how often it was asked for a token. */
function connectAs(email: string, expiresInSeconds = 300) {
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  clients.push(client);
  const tokens = { fetched: 0, onFetch: () => undefined as void };
  client.setAuth(async () => {
    tokens.fetched++;
    tokens.onFetch();
    const subject = userIdForEmail(email);
    return server.developmentIssuer?.sign({ subject, expiresInSeconds }) ?? null;
  });
  return { client, tokens };
}

type People = { page: { role: string; presence: string; user?: { _id: string } }[] };

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

function watchPeople(client: ConvexClient, meetingId: Id<"meetings">) {
  const seen: People[] = [];
  const failures: Error[] = [];
  const waiting: { matches: (people: People) => boolean; resolve: () => void }[] = [];
  const args = { meetingId, paginationOpts: { numItems: 50, cursor: null } };
  client.onUpdate(
    api.meetings.queries.listMeetingParticipants,
    args,
    (people) => {
      seen.push(people);
      for (const { matches, resolve } of waiting) if (matches(people)) resolve();
    },
    (error) => failures.push(error),
  );
  const until = (matches: (people: People) => boolean) =>
    seen.some(matches)
      ? Promise.resolve()
      : new Promise<void>((resolve) => waiting.push({ matches, resolve }));
  return { seen, failures, until };
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
  const client = new ConvexClient(server.url, { webSocketConstructor: WebSocket as never, logger: false });
  clients.push(client);
  const failed = new Promise<Error & { data?: { code: string } }>((resolve) => {
    client.onUpdate(api.meetings.queries.getMeeting, { meetingId }, () => undefined, resolve);
  });
  expect((await failed).data).toMatchObject({ code: "UNAUTHENTICATED" });
});
