import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import { codeOf, newApp, signUp } from "./setup";

const { createAccessKey, listAccessKeys, rotateAccessKey, revokeAccessKey } = api.tenants.accessKeys;

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.stubEnv("CREDENTIALS_KEY", btoa("k".repeat(32)));
});

afterEach(() => {
  vi.useRealTimers();
});

/** An admin of an organization, and whether a set of credentials is good. */
async function stage() {
  const app = newApp();
  const admin = await signUp(app, "admin", { org_id: "org_1", role: "admin" });
  const isGood = async (accessKeyId: string) =>
    (await app.query(internal.credentials.find, { accessKeyId })) !== null;
  return { app, admin, isGood };
}

test("an admin makes credentials of the organization, whose secrets are shown once", async () => {
  const { admin, isGood } = await stage();
  const made = await admin.as.action(createAccessKey, { label: "Billing" });
  expect(made.tenant).toBe("org_1");
  expect(await isGood(made.accessKeyId)).toBe(true);
  const listed = await admin.as.query(listAccessKeys, {});
  expect(listed).toMatchObject([
    { accessKeyId: made.accessKeyId, account: made.huaweiAccount, label: "Billing" },
  ]);
  for (const secret of [made.secretAccessKey, made.chalkApiKey, made.huaweiPassword]) {
    expect(JSON.stringify(listed)).not.toContain(secret);
  }
});

test("credentials that the deployment's administrator makes for the organization are the organization's", async () => {
  const { app, admin, isGood } = await stage();
  const { accessKeyId } = await app.action(internal.credentials.issue, { tenant: "org_1" });
  await admin.as.mutation(revokeAccessKey, { accessKeyId });
  expect(await isGood(accessKeyId)).toBe(false);
  expect(await codeOf(admin.as.mutation(revokeAccessKey, { accessKeyId }))).toBe("ACCESS_KEY_NOT_FOUND");
});

test("after a rotation both sets are good for a while, or the new one alone at once", async () => {
  const { admin, isGood } = await stage();
  const first = await admin.as.action(createAccessKey, {});
  const second = await admin.as.action(rotateAccessKey, { accessKeyId: first.accessKeyId });
  expect([await isGood(first.accessKeyId), await isGood(second.accessKeyId)]).toEqual([true, true]);
  vi.setSystemTime(Date.now() + DAY_MS);
  expect([await isGood(first.accessKeyId), await isGood(second.accessKeyId)]).toEqual([false, true]);
  const { accessKeyId } = second;
  const third = await admin.as.action(rotateAccessKey, { accessKeyId, graceMs: 0 });
  expect([await isGood(accessKeyId), await isGood(third.accessKeyId)]).toEqual([false, true]);
  expect(await codeOf(admin.as.action(rotateAccessKey, { accessKeyId }))).toBe("ACCESS_KEY_NOT_FOUND");
});

test("a set can be rotated however often, as the set that was revoked first makes room", async () => {
  const { admin, isGood } = await stage();
  const first = await admin.as.action(createAccessKey, { label: "First" });
  const second = await admin.as.action(createAccessKey, { label: "Second" });
  let { accessKeyId } = first;
  for (let rotation = 0; rotation < 100; rotation++) {
    vi.setSystemTime(Date.now() + 1);
    ({ accessKeyId } = await admin.as.action(rotateAccessKey, { accessKeyId, graceMs: 0 }));
  }
  const listed = (await admin.as.query(listAccessKeys, {})).map((key) => key.accessKeyId);
  expect(listed).toHaveLength(100);
  expect(listed).not.toContain(first.accessKeyId);
  expect(listed).toContain(accessKeyId);
  expect([await isGood(second.accessKeyId), await isGood(accessKeyId)]).toEqual([true, true]);
}, 60_000);

test("a tenant has a hundred sets that are good and no more, those included that still are for a while", async () => {
  const { admin, isGood } = await stage();
  const { accessKeyId } = await admin.as.action(createAccessKey, {});
  for (let sets = 1; sets < 99; sets++) await admin.as.action(createAccessKey, {});
  await admin.as.action(rotateAccessKey, { accessKeyId });
  expect(await codeOf(admin.as.action(createAccessKey, {}))).toBe("TOO_MANY_ACCESS_KEYS");
  expect(await isGood(accessKeyId)).toBe(true);
  vi.setSystemTime(Date.now() + DAY_MS);
  await admin.as.action(createAccessKey, {});
  expect(await admin.as.query(listAccessKeys, {})).toHaveLength(100);
}, 60_000);
