import { allAdmins, hosts, type Rows, users } from "./stage";

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
