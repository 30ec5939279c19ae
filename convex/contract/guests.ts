import * as z from "zod";
import { id } from "./ids";
import { name } from "./participantData";
import { text } from "./text";
import { email } from "./users";

export const externalId = text().trim().min(1).max(256);
export const phone = z
  .string()
  .max(127)
  .regex(/^\+?[0-9][0-9 ()./-]{1,125}$/, "Must be a telephone number");
export const sip = z
  .string()
  .max(127)
  .regex(/^(sips?:)?[^\s@<>"]+@[^\s@<>"]+$/i, "Must be a SIP address like name@host");

/** Fields of the table `guests`, all of which the hosts of meetings of the same tenant may see. */
export const guestFields = {
  tenantId: id("tenants"),
  externalId: externalId.exactOptional().describe("Unique among the guests of the tenant"),
  displayName: name.exactOptional(),
  email: email.exactOptional(),
  phone: phone.exactOptional(),
  sip: sip.exactOptional(),
  userId: id("users").exactOptional().describe("The account that the guest has turned out to be"),
};

export const guest = z.strictObject({ _id: id("guests"), _creationTime: z.number(), ...guestFields });
