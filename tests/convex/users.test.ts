import { describe, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import { codeOf, errorOf, newApp, signUp } from "./setup";

const { upsertUser, updateUserProfile, deactivateUser, updateLastSeen } = api.users.mutations;
const { getCurrentUser, getUserById, listActiveUsersInOrg } = api.users.queries;

describe("upsertUser", () => {
  test("creates the caller's user with the organization of the token", async () => {
    const app = newApp();
    const { id, as } = await signUp(app, "ada", { org_id: "org_1", role: "member" });
    expect(await as.query(getCurrentUser, {})).toEqual({
      _id: id,
      _creationTime: expect.any(Number),
      workosUserId: "ada",
      email: "ada@example.com",
      displayName: "ada",
      orgId: "org_1",
      orgRole: "member",
      isActive: true,
    });
  });

  test("updates the same user the next time, from either form of the issuer", async () => {
    const app = newApp();
    const { id } = await signUp(app, "ada", { issuer: "https://api.workos.com", org_id: "org_1" });
    const again = app.withIdentity({
      subject: "ada",
      issuer: "https://api.workos.com/user_management/client_1",
    });
    expect(await again.mutation(upsertUser, { workosUserId: "ada", email: "new@example.com" })).toBe(id);
    const user = await again.query(getCurrentUser, {});
    expect(user).toMatchObject({ email: "new@example.com", displayName: "ada" });
    expect(user).not.toHaveProperty("orgId");
  });

  test("is for oneself alone, and not for who is deactivated", async () => {
    const { id, as } = await signUp(newApp(), "ada");
    const asBob = as.mutation(upsertUser, { workosUserId: "bob", email: "ada@example.com" });
    expect(await codeOf(asBob)).toBe("FORBIDDEN");
    await as.mutation(deactivateUser, { userId: id });
    const back = as.mutation(upsertUser, { workosUserId: "ada", email: "ada@example.com" });
    expect(await codeOf(back)).toBe("USER_DEACTIVATED");
    expect(await as.query(getCurrentUser, {})).toMatchObject({ isActive: false });
  });

  test("refuses what is no address", async () => {
    const { as } = await signUp(newApp(), "ada");
    const error = await errorOf(as.mutation(upsertUser, { workosUserId: "ada", email: "nowhere" }));
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", issues: [{ path: "email" }] });
  });

  test("leaves a name alone that the person has set here", async () => {
    const { id, as } = await signUp(newApp(), "ada");
    await as.mutation(updateUserProfile, { userId: id, displayName: "Countess" });
    await as.mutation(upsertUser, { workosUserId: "ada", email: "ada@example.com", displayName: "ada" });
    expect(await as.query(getCurrentUser, {})).toMatchObject({ displayName: "Countess" });
  });
});

test("getCurrentUser gives null to who has not signed up", async () => {
  expect(await newApp().withIdentity({ subject: "new" }).query(getCurrentUser, {})).toBeNull();
});

describe("a profile", () => {
  test("is changed by the person and by an admin of the organization, and by nobody else", async () => {
    const app = newApp();
    const ada = await signUp(app, "ada", { org_id: "org_1", role: "member" });
    const colleague = await signUp(app, "colleague", { org_id: "org_1", role: "member" });
    const admin = await signUp(app, "admin", { org_id: "org_1", role: "admin" });
    const otherAdmin = await signUp(app, "otherAdmin", { org_id: "org_2", role: "admin" });
    const change = (by: typeof ada, bio: string) =>
      by.as.mutation(updateUserProfile, { userId: ada.id, bio });
    expect(await change(ada, "by herself")).toBe(ada.id);
    expect(await change(admin, "by the admin")).toBe(ada.id);
    expect(await codeOf(change(colleague, "no"))).toBe("FORBIDDEN");
    expect(await codeOf(change(otherAdmin, "no"))).toBe("FORBIDDEN");
    expect(await ada.as.query(getCurrentUser, {})).toMatchObject({ bio: "by the admin", displayName: "ada" });
  });

  test("an admin without an organization administers nobody", async () => {
    const app = newApp();
    const ada = await signUp(app, "ada");
    const admin = await signUp(app, "admin", { role: "admin" });
    expect(await codeOf(admin.as.mutation(deactivateUser, { userId: ada.id }))).toBe("FORBIDDEN");
  });

  test.each([
    ["bio", { bio: "x".repeat(1001) }],
    ["avatarUrl", { avatarUrl: "http://example.com/ada.png" }],
    ["avatarUrl", { avatarUrl: "javascript:alert(1)" }],
    ["displayName", { displayName: " " }],
  ])("a wrong %s is refused by name", async (field, change) => {
    const { id, as } = await signUp(newApp(), "ada");
    const error = await errorOf(as.mutation(updateUserProfile, { userId: id, ...change }));
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT", issues: [{ path: field }] });
  });
});

test("a user is deactivated once, by the person or an admin of the organization", async () => {
  const app = newApp();
  const ada = await signUp(app, "ada", { org_id: "org_1" });
  const admin = await signUp(app, "admin", { org_id: "org_1", role: "admin" });
  expect(await admin.as.mutation(deactivateUser, { userId: ada.id })).toBeNull();
  expect(await codeOf(admin.as.mutation(deactivateUser, { userId: ada.id }))).toBe(
    "USER_ALREADY_DEACTIVATED",
  );
  const unknown = admin.as.mutation(deactivateUser, { userId: "nobody" as Id<"users"> });
  expect(await codeOf(unknown)).toBe("USER_NOT_FOUND");
});

test("being seen is stored once a minute", async () => {
  const { as } = await signUp(newApp(), "ada");
  const seen = async () => (await as.query(getCurrentUser, {}))?.lastSeenAt;
  const now = Date.now();
  vi.useFakeTimers({ now, toFake: ["Date"] });
  try {
    await as.mutation(updateLastSeen, {});
    vi.setSystemTime(now + 59_999);
    await as.mutation(updateLastSeen, {});
    expect(await seen()).toBe(now);
    vi.setSystemTime(now + 60_000);
    await as.mutation(updateLastSeen, {});
    expect(await seen()).toBe(now + 60_000);
  } finally {
    vi.useRealTimers();
  }
});

describe("getUserById", () => {
  test("shows everything within an organization, else the public part", async () => {
    const app = newApp();
    const ada = await signUp(app, "ada", { org_id: "org_1" });
    const colleague = await signUp(app, "colleague", { org_id: "org_1" });
    const stranger = await signUp(app, "stranger");
    const own = await ada.as.query(getUserById, { userId: ada.id });
    expect(own).toMatchObject({ email: "ada@example.com", orgId: "org_1" });
    expect(await colleague.as.query(getUserById, { userId: ada.id })).toEqual(own);
    expect(await stranger.as.query(getUserById, { userId: ada.id })).toEqual({
      _id: ada.id,
      displayName: "ada",
      isActive: true,
    });
  });

  test("two people without an organization are strangers", async () => {
    const app = newApp();
    const [ada, bob] = [await signUp(app, "ada"), await signUp(app, "bob")];
    expect(await bob.as.query(getUserById, { userId: ada.id })).not.toHaveProperty("email");
  });

  test("gives null for an unknown or malformed id", async () => {
    const { as } = await signUp(newApp(), "ada");
    expect(await as.query(getUserById, { userId: "nobody" as Id<"users"> })).toBeNull();
  });
});

test("listActiveUsersInOrg gives the active people of the token's organization, page by page", async () => {
  const app = newApp();
  const ada = await signUp(app, "ada", { org_id: "org_1" });
  const bob = await signUp(app, "bob", { org_id: "org_1" });
  const gone = await signUp(app, "gone", { org_id: "org_1" });
  await gone.as.mutation(deactivateUser, { userId: gone.id });
  const stranger = await signUp(app, "stranger", { org_id: "org_2" });
  const alone = await signUp(app, "alone");
  const list = (by: typeof ada, cursor: string | null) =>
    by.as.query(listActiveUsersInOrg, { paginationOpts: { numItems: 1, cursor } });
  const first = await list(ada, null);
  const second = await list(ada, first.continueCursor);
  expect([...first.page, ...second.page].map(({ _id }) => _id)).toEqual([ada.id, bob.id]);
  expect((await list(stranger, null)).page.map(({ _id }) => _id)).toEqual([stranger.id]);
  expect(await codeOf(list(alone, null))).toBe("FORBIDDEN");
});
