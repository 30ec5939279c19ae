/** What this wire keeps of its own. */
import * as z from "zod";
import { id } from "../../contract/ids";
import { conferenceSettings } from "./wire";

/** Fields of the table `huaweiConferences`: what a meeting is called on this wire, and what only this wire says of it. */
export const conferenceFields = {
  tenantId: id("tenants"),
  meetingId: id("meetings"),
  /** Nine digits, unique among all tenants, since the host password alone opens a meeting. */
  conferenceId: z.string(),
  /** Of a guest password that an application has chosen. */
  guestPasswordHash: z.string().exactOptional(),
  settings: z.strictObject(conferenceSettings),
};

/** Fields of the table `huaweiTokens`. A token's text is its key and a secret, of which only the hash is kept. */
export const tokenFields = {
  /** `access`: of an application that has logged in. `control`: of whoever controls one meeting. */
  kind: z.enum(["access", "control"]),
  key: z.string(),
  hash: z.string(),
  tenantId: id("tenants"),
  /** The account with the type of its client, or the meeting: each has so many tokens at most. */
  owner: z.string(),
  /** Of the application; absent if a meeting was opened with its host password alone. */
  account: z.string().exactOptional(),
  meetingId: id("meetings").exactOptional(),
  expiresAt: z.number(),
};
