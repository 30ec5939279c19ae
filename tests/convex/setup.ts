import rateLimiter from "@convex-dev/rate-limiter/test";
import { convexTest, type TestConvex } from "convex-test";
import { type UserIdentity, makeFunctionReference } from "convex/server";
import { ConvexError } from "convex/values";
import { vi } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id, TableNames } from "../../convex/_generated/dataModel";
import { type Endpoint, functionName } from "../../convex/contract/endpoint";
import { endpoints } from "../../convex/contract/endpoints";
import type { ErrorCode, ErrorData } from "../../convex/contract/errors";
import type { ParticipantRole } from "../../convex/contract/participants";
import schema from "../../convex/schema";
import type { Backend, Result } from "../parity/story";

const modules = import.meta.glob("../../convex/**/*.ts");

export type App = TestConvex<typeof schema>;

/** What a token says of its bearer. */
export type Claims = Partial<UserIdentity> & { subject: string };

/** A fresh backend without any data; without a rate limit, which has a test of its own. */
export function newApp(): App {
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0");
  const app = convexTest(schema, modules);
  rateLimiter.register(app);
  return app;
}

/** A person who has signed up: `as` calls in their name. */
export interface Person {
  id: Id<"users">;
  as: ReturnType<App["withIdentity"]>;
}

/** Signs a person up. The subject is the name. */
export async function signUp(app: App, name: string, claims: Omit<Claims, "subject"> = {}): Promise<Person> {
  const as = app.withIdentity({ subject: name, ...claims });
  const id = await as.mutation(api.users.mutations.upsertUser, {
    workosUserId: name,
    email: `${name}@example.com`,
    displayName: name,
  });
  return { id, as };
}

/** Signs several people up. */
export async function signUpAll<const Names extends readonly string[]>(
  app: App,
  ...names: Names
): Promise<{ -readonly [Index in keyof Names]: Person }> {
  const people = await Promise.all(names.map((name) => signUp(app, name)));
  return people as { -readonly [Index in keyof Names]: Person };
}

/** A backend with a host and the host's meeting. */
export async function newMeeting(
  args: {
    maxParticipants?: number;
    meetingType?: "one-on-one";
    lobby?: boolean;
    emptyTimeoutMs?: number;
  } = {},
) {
  const app = newApp();
  const host = await signUp(app, "host");
  const { meetingId } = await host.as.mutation(api.meetings.lifecycle.createMeeting, {
    title: "Planning",
    ...args,
  });
  const add = (...entries: (readonly [Person, ParticipantRole])[]) =>
    host.as.mutation(api.meetings.lifecycle.addMultipleParticipants, {
      meetingId,
      participants: entries.map(([{ id: userId }, role]) => ({ userId, role })),
    });
  const meeting = async () => {
    const row = await app.run((ctx) => ctx.db.get("meetings", meetingId));
    if (!row) throw new Error("The meeting is gone");
    return row;
  };
  const rows = () => app.run((ctx) => ctx.db.query("meetingParticipants").collect());
  return { app, host, meetingId, add, meeting, rows };
}

/** The error with which a call fails; fails itself if the call succeeds. */
export async function errorOf(call: Promise<unknown>): Promise<ErrorData> {
  const error: unknown = await call.then(
    () => new Error("The call succeeded"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConvexError)) throw error;
  return error.data as ErrorData;
}

/** The code of the error with which a call fails. */
export async function codeOf(call: Promise<unknown>): Promise<ErrorCode> {
  return (await errorOf(call)).code;
}

export type Caller = Pick<App, "query" | "mutation" | "action">;

/** Calls the function of an endpoint. */
export function callEndpoint(
  caller: Caller,
  endpoint: Pick<Endpoint, "kind" | "path">,
  args: Record<string, unknown>,
): Promise<unknown> {
  const name = functionName(endpoint);
  switch (endpoint.kind) {
    case "query":
      return caller.query(makeFunctionReference<"query">(name), args);
    case "mutation":
      return caller.mutation(makeFunctionReference<"mutation">(name), args);
    case "action":
      return caller.action(makeFunctionReference<"action">(name), args);
  }
}

/** The backend as the scenarios shared with other runtimes want it. */
export function parityBackend(app: App): Backend {
  return {
    as: (identity) => ({
      call: async (path, args): Promise<Result> => {
        const caller = app.withIdentity({ ...identity });
        const endpoint = endpoints.find((candidate) => functionName(candidate) === path);
        if (!endpoint) throw new Error(`There is no endpoint of ${path}`);
        try {
          const value = await callEndpoint(caller, endpoint, args);
          return { ok: true, value };
        } catch (error) {
          if (!(error instanceof ConvexError)) throw error;
          return { ok: false, data: error.data };
        }
      },
    }),
    rows: (table) => app.run((ctx) => ctx.db.query(table as TableNames).collect()),
  };
}
