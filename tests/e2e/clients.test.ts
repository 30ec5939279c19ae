/** The official client of the convex package against the cloud origin. */
import { ConvexHttpClient } from "convex/browser";
import { ConvexError } from "convex/values";
import { beforeAll, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { userIdForEmail } from "../../embedded/index";
import { signIn, startServer, tokenFor, type TestServer } from "./server";

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

/** A client of its own for a person. */
async function clientOf(name: string): Promise<{ client: ConvexHttpClient; userId: Id<"users"> }> {
  const client = new ConvexHttpClient(server.url);
  client.setAuth(await tokenFor(server, `${name}@example.com`));
  const userId = await client.mutation(api.users.mutations.upsertUser, {
    workosUserId: userIdForEmail(`${name}@example.com`),
    email: `${name}@example.com`,
    displayName: name,
  });
  return { client, userId };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error("The call succeeded"),
    (error: unknown) => error,
  );
}

test("mutations and queries go through with types from the code and a token from setAuth", async () => {
  const host = await clientOf("host");
  const guest = await clientOf("guest");
  const { meetingId } = await host.client.mutation(api.meetings.lifecycle.createMeeting, {
    title: "Planning",
    scheduledAt: Date.now() + 3_600_000,
  });
  const { added, skipped, success } = await host.client.mutation(
    api.meetings.lifecycle.addMultipleParticipants,
    {
      meetingId,
      participants: [
        { userId: guest.userId, role: "co-host" },
        { userId: host.userId, role: "participant" },
      ],
    },
  );
  expect({ added, skipped, success }).toEqual({
    added: [expect.any(String)],
    skipped: [{ userId: host.userId, reason: "Already a participant", code: "already_participant" }],
    success: true,
  });
  const meeting = await guest.client.query(api.meetings.queries.getMeeting, { meetingId });
  expect(meeting).toMatchObject({ title: "Planning", userRole: "co-host", participantCount: 2 });
  expect(await guest.client.query(api.meetings.queries.listUserMeetings, {})).toHaveLength(1);
});

test("mutations of one client are done in the order in which they were called", async () => {
  const { client } = await clientOf("orderly");
  const titles = Array.from({ length: 20 }, (_, i) => `Meeting ${i}`);
  await Promise.all(titles.map((title) => client.mutation(api.meetings.lifecycle.createMeeting, { title })));
  const meetings = await client.query(api.meetings.queries.listUserMeetings, {});
  expect(meetings.map(({ title }) => title)).toEqual(titles.toReversed());
});

test("an error of the app arrives as a ConvexError with its data", async () => {
  const { client, userId } = await clientOf("host");
  const error = await failureOf(
    client.query(api.meetings.queries.getMeeting, { meetingId: userId as string as Id<"meetings"> }),
  );
  expect(error).toBeInstanceOf(ConvexError);
  expect((error as ConvexError<{ code: string; message: string }>).data).toEqual({
    code: "MEETING_NOT_FOUND",
    message: "There is no such meeting",
  });
});

test("wrong arguments arrive as an Error with Convex's words", async () => {
  const { client } = await clientOf("host");
  const error = await failureOf(
    client.mutation(api.meetings.lifecycle.createMeeting, { title: 1 as unknown as string }),
  );
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(ConvexError);
  expect((error as Error).message).toContain("ArgumentValidationError: Value does not match validator.");
});

test("without a token and after clearAuth a call is nobody's", async () => {
  const { client } = await clientOf("host");
  client.clearAuth();
  for (const anonymous of [client, new ConvexHttpClient(server.url)]) {
    const error = await failureOf(anonymous.query(api.users.queries.getCurrentUser, {}));
    expect((error as ConvexError<{ code: string }>).data.code).toBe("UNAUTHENTICATED");
  }
});

test("a token that can't be used fails the call with the reason", async () => {
  const client = new ConvexHttpClient(server.url);
  client.setAuth(await tokenFor(server, "host@example.com", { expiresInSeconds: -60 }));
  const error = await failureOf(client.query(api.users.queries.getCurrentUser, {}));
  expect((error as Error).message).toContain("Token expired");
});

test("a client with the admin key acts as whom it says", async () => {
  const { workosUserId, userId } = await signIn(server, "host");
  const client = new ConvexHttpClient(server.url) as ConvexHttpClient & {
    setAdminAuth(key: string, actingAs: { issuer: string; subject: string }): void;
  };
  client.setAdminAuth(server.adminKey, { issuer: "https://any.example.com", subject: workosUserId });
  expect(await client.query(api.users.queries.getCurrentUser, {})).toMatchObject({ _id: userId });
});

test("pages follow one another by their cursors", async () => {
  const { client } = await clientOf("host");
  const { meetingId } = await client.mutation(api.meetings.lifecycle.createMeeting, { title: "Pages" });
  const guests = await Promise.all(Array.from({ length: 7 }, (_, i) => clientOf(`guest${i}`)));
  const participants = guests.map(({ userId }) => ({ userId, role: "participant" as const }));
  await client.mutation(api.meetings.lifecycle.addMultipleParticipants, { meetingId, participants });
  const seen: string[] = [];
  const sizes: number[] = [];
  for (let cursor: string | null = null, isDone = false; !isDone;) {
    const page: {
      page: { userId?: string }[];
      isDone: boolean;
      continueCursor: string;
    } = await client.query(api.meetings.queries.listMeetingParticipants, {
      meetingId,
      paginationOpts: { numItems: 3, cursor },
    });
    sizes.push(page.page.length);
    seen.push(...page.page.map(({ userId }) => String(userId)));
    ({ isDone, continueCursor: cursor } = page);
  }
  expect(sizes.slice(0, 2)).toEqual([3, 3]);
  expect(seen).toHaveLength(8);
  expect(new Set(seen).size).toBe(8);
});
