import { vi } from "vitest";
import { api } from "../../../convex/_generated/api";
import { allAdmins, type Expected, hosts, type Rows, type Stage, users } from "./stage";

const paginationOpts = { numItems: 5, cursor: null };

export const guests: Rows = {
  "guests/mutations/createGuest": {
    expected: hosts,
    args: ({ meetingId }) => ({ meetingId, externalId: "crm-2" }),
  },
  "guests/mutations/updateGuest": {
    expected: { ...allAdmins, outsider: "GUEST_NOT_FOUND" },
    args: ({ guestId }) => ({ guestId, displayName: "Grace" }),
  },
  "guests/queries/getGuest": {
    expected: hosts,
    args: ({ meetingId, guestId }) => ({ meetingId, guestId }),
  },
  "guests/queries/listGuests": { expected: allAdmins, args: () => ({ paginationOpts }) },
};

export const tenants: Rows = {
  "tenants/mutations/updateTenantConfig": {
    expected: allAdmins,
    args: () => ({ config: { earlyJoinMs: 60_000 } }),
  },
  "tenants/queries/getTenant": { expected: users, args: () => ({}) },
};

/** Those who may have credentials of their own, but not these. */
const owners: Expected = { ...allAdmins, outsider: "ACCESS_KEY_NOT_FOUND" };

const made = new WeakMap<Stage, string>();

function withKey(): Promise<void> {
  vi.stubEnv("CREDENTIALS_KEY", btoa("k".repeat(32)));
  return Promise.resolve();
}

async function makeAccessKey(stage: Stage): Promise<void> {
  await withKey();
  const { accessKeyId } = await stage.callers.admin.action(api.tenants.accessKeys.createAccessKey, {});
  made.set(stage, accessKeyId);
}

export const accessKeys: Rows = {
  "tenants/accessKeys/createAccessKey": { expected: allAdmins, args: () => ({}), prepare: withKey },
  "tenants/accessKeys/listAccessKeys": { expected: allAdmins, args: () => ({}) },
  "tenants/accessKeys/rotateAccessKey": {
    expected: owners,
    args: (stage) => ({ accessKeyId: made.get(stage) }),
    prepare: makeAccessKey,
  },
  "tenants/accessKeys/revokeAccessKey": {
    expected: owners,
    args: (stage) => ({ accessKeyId: made.get(stage) }),
    prepare: makeAccessKey,
  },
};
