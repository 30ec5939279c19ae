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
