import * as z from "zod";
import { capabilities } from "./capabilities";
import { text } from "./text";

const MAX_ATTRIBUTES = 50;
const MAX_ATTRIBUTES_LENGTH = 16_384;

export const name = text().trim().min(1).max(200);
export const nickname = text().trim().min(1).max(200);
export const department = text().trim().max(128);
export const level = z
  .int()
  .min(-2_147_483_648)
  .max(2_147_483_647)
  .describe("Any rank the application gives");
export const readIndex = z
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER)
  .describe(
    "How far the person has read: the number of the last history marker, or of whatever the application counts; goes forward only",
  );

/** Free text by the application, under names that can be fields of a document. */
export const attributes = z
  .record(
    z
      .string()
      .max(128)
      .regex(
        /^[\x20-\x23\x25-\x5e\x60-\x7e][\x20-\x7e]*$/,
        "Must be printable ASCII that does not begin with $ or _",
      ),
    text().max(4096),
  )
  .refine((record) => Object.keys(record).length <= MAX_ATTRIBUTES, `At most ${MAX_ATTRIBUTES} attributes`)
  .refine(
    (record) => JSON.stringify(record).length <= MAX_ATTRIBUTES_LENGTH,
    `At most ${MAX_ATTRIBUTES_LENGTH} characters of JSON in all`,
  )
  .describe(`Up to ${MAX_ATTRIBUTES} texts by name, ${MAX_ATTRIBUTES_LENGTH} characters of JSON in all`);

/** What can be said of a person in a meeting besides the role. */
export const participantData = {
  displayName: name.exactOptional().describe("The name shown in this meeting instead of the person's own"),
  nickname: nickname.exactOptional(),
  capabilities: capabilities.exactOptional(),
  attributes: attributes.exactOptional(),
  level: level.exactOptional(),
  department: department.exactOptional(),
};

export type ParticipantData = z.infer<z.ZodObject<typeof participantData>>;
