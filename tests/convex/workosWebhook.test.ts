import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import { type App, newApp, signUp } from "./setup";
import { at, deliver, membershipEvent, sign, userEvent, WEBHOOK_SECRET } from "./workosEvents";

beforeEach(() => void vi.stubEnv("WORKOS_WEBHOOK_SECRET", WEBHOOK_SECRET));
afterEach(() => void vi.unstubAllEnvs());

/** The users without what differs from run to run. */
async function users(app: App) {
  const rows = await app.run((ctx) => ctx.db.query("users").collect());
  return rows.map(({ _id, _creationTime, ...row }) => row);
}

describe("the signature", () => {
  test("of WorkOS lets an event in", async () => {
    const app = newApp();
    const response = await deliver(app, userEvent("event_1", "user.created", 1));
    expect(response.status).toBe(200);
    expect(await users(app)).toEqual([
      {
        workosUserId: "user_ada",
        email: "ada@workos.example",
        displayName: "Ada Lovelace",
        isActive: true,
      },
    ]);
  });

  test.each([
    ["of another secret", (body: string) => sign(body, Date.now(), "whsec_other")],
    ["of another body", () => sign("{}", Date.now())],
    ["that is more than three minutes old", (body: string) => sign(body, Date.now() - 181_000)],
    ["that is in seconds", (body: string) => sign(body, Math.floor(Date.now() / 1000))],
    ["that is none", async () => "nonsense"],
    ["that is empty", async () => ""],
  ])("%s changes nothing", async (_, signature) => {
    const app = newApp();
    const event = userEvent("event_1", "user.created", 1);
    const response = await deliver(app, event, await signature(JSON.stringify(event)));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errorData: { code: "WEBHOOK_SIGNATURE_INVALID" } });
    expect(await users(app)).toEqual([]);
  });

  test("cannot be checked without a secret", async () => {
    vi.stubEnv("WORKOS_WEBHOOK_SECRET", undefined);
    const response = await deliver(newApp(), userEvent("event_1", "user.created", 1));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ errorData: { code: "NOT_CONFIGURED" } });
  });
});

test("events that are of no use are taken and forgotten", async () => {
  const app = newApp();
  expect((await deliver(app, { id: "event_1", event: "session.created", data: {} })).status).toBe(200);
  expect(await users(app)).toEqual([]);
});

test("an event that is not what WorkOS says it is gets a 400", async () => {
  const response = await deliver(newApp(), { id: "event_1", event: "user.created", data: { id: 7 } });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errorData: { code: "INVALID_ARGUMENT" } });
});

test("a late event of an older state changes nothing", async () => {
  const app = newApp();
  await deliver(app, userEvent("event_2", "user.updated", 2, { email: "new@workos.example" }));
  await deliver(app, userEvent("event_1", "user.created", 1));
  expect(await users(app)).toMatchObject([{ email: "new@workos.example" }]);
});

test("a membership may come before its user", async () => {
  const app = newApp();
  await deliver(app, membershipEvent("event_1", "organization_membership.created", 1));
  expect(await users(app)).toEqual([]);
  await deliver(app, userEvent("event_2", "user.created", 1));
  expect(await users(app)).toMatchObject([{ orgId: "org_1", orgRole: "member" }]);
});

test("a deleted user is inactive for good", async () => {
  const app = newApp();
  await deliver(app, userEvent("event_2", "user.deleted", 2));
  await deliver(app, userEvent("event_3", "user.updated", 3));
  expect(await users(app)).toMatchObject([{ isActive: false }]);
});

test("a user who is deactivated here is not activated by an event", async () => {
  const app = newApp();
  const ada = await signUp(app, "user_ada");
  await ada.as.mutation(api.users.mutations.deactivateUser, { userId: ada.id });
  await deliver(app, userEvent("event_1", "user.updated", 1));
  expect(await users(app)).toMatchObject([{ isActive: false, email: "ada@workos.example" }]);
});

test("what WorkOS has said of a user is not overwritten by the user, but a name set here stays", async () => {
  const app = newApp();
  const { upsertUser, updateUserProfile } = api.users.mutations;
  const ada = await signUp(app, "user_ada");
  await deliver(app, userEvent("event_1", "user.updated", 1));
  await ada.as.mutation(upsertUser, { workosUserId: "user_ada", email: "forged@example.com" });
  expect(await users(app)).toMatchObject([{ email: "ada@workos.example", displayName: "Ada Lovelace" }]);
  await ada.as.mutation(updateUserProfile, { userId: ada.id, displayName: "Countess" });
  await deliver(app, userEvent("event_2", "user.updated", 2, { first_name: "A." }));
  expect(await users(app)).toMatchObject([{ displayName: "Countess" }]);
});

test("the organization of the session counts until WorkOS says that the membership is over", async () => {
  const app = newApp();
  await signUp(app, "user_ada", { org_id: "org_2", role: "admin" });
  await deliver(app, membershipEvent("event_1", "organization_membership.created", 1));
  expect(await users(app)).toMatchObject([{ orgId: "org_2", orgRole: "admin" }]);
  const second = { id: "om_2", organization_id: "org_2", role: { slug: "member" } };
  await deliver(app, membershipEvent("event_2", "organization_membership.created", 2, second));
  expect(await users(app)).toMatchObject([{ orgId: "org_2", orgRole: "member" }]);
  await deliver(app, membershipEvent("event_3", "organization_membership.deleted", 3, second));
  expect(await users(app)).toMatchObject([{ orgId: "org_1", orgRole: "member" }]);
});

test("the same events in any order, however often, end in the same users", async () => {
  const history = [
    userEvent("event_01", "user.created", 1),
    userEvent("event_02", "user.updated", 2, { email: "second@workos.example" }),
    userEvent("event_03", "user.updated", 2, { first_name: "Same", last_name: "Time" }),
    userEvent("event_04", "user.created", 1, { id: "user_bob", email: "bob@workos.example" }),
    userEvent("event_05", "user.deleted", 3, { id: "user_bob", email: "bob@workos.example" }),
    userEvent("event_06", "user.updated", 4, { id: "user_bob", email: "late@workos.example" }),
    membershipEvent("event_07", "organization_membership.created", 1),
    membershipEvent("event_08", "organization_membership.updated", 3, { role: { slug: "admin" } }),
    membershipEvent("event_09", "organization_membership.created", 2, {
      id: "om_2",
      organization_id: "org_2",
      created_at: at(2),
    }),
    membershipEvent("event_10", "organization_membership.deleted", 5),
    membershipEvent("event_11", "organization_membership.updated", 6, { status: "inactive" }),
    membershipEvent("event_12", "organization_membership.created", 1, { id: "om_3", user_id: "user_bob" }),
  ];
  const play = async (events: readonly unknown[]) => {
    const app = newApp();
    for (const event of events) expect((await deliver(app, event)).status).toBe(200);
    return (await users(app)).toSorted((a, b) => (a.workosUserId < b.workosUserId ? -1 : 1));
  };
  const expected = await play(history);
  expect(expected).toMatchObject([
    { workosUserId: "user_ada", orgId: "org_2", displayName: "Same Time", isActive: true },
    { workosUserId: "user_bob", orgId: "org_1", isActive: false },
  ]);
  const deliveries = fc
    .shuffledSubarray([...history, ...history], { minLength: history.length })
    .map((some) => [...some, ...history.filter((event) => !some.includes(event))]);
  await fc.assert(
    fc.asyncProperty(deliveries, async (events) => {
      expect(await play(events)).toEqual(expected);
    }),
    { numRuns: 30 },
  );
}, 60_000);
