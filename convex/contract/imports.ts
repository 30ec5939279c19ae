/** Lists of people that were made elsewhere: what a line can say, and why it was skipped. */
import * as z from "zod";
import { naming, skippedEntry, skipReasons } from "./entries";
import { participantData } from "./participantData";
import { participantRole } from "./participants";

/** Of the text of an import, in UTF-16 code units. */
export const MAX_IMPORT_LENGTH = 1_000_000;

/** Of the header row of a CSV text. */
export const MAX_COLUMNS = 250;

export const importFormat = z.enum(["csv", "ics"]);
export type ImportFormat = z.infer<typeof importFormat>;

const { displayName, nickname, level, department } = participantData;
const { userId, externalId, guestId, email } = naming;

/** What a line says of a person. That it names one is seen to by whoever reads the line. */
export const importedEntry = z.strictObject({
  userId,
  externalId,
  guestId,
  email,
  role: participantRole.exactOptional(),
  displayName,
  nickname,
  level,
  department,
});
export type ImportedEntry = z.output<typeof importedEntry>;

/** Why a line was skipped, besides the reasons for which an entry is. */
export const lineSkipReasons = {
  /** The reason says what. */
  invalid_line: "The line is wrong",
  not_a_person: "A room, a resource or a group",
  cancelled: "The event is cancelled",
} as const;
export type LineSkipCode = keyof typeof lineSkipReasons;

const codes = [...Object.keys(skipReasons), ...Object.keys(lineSkipReasons)] as [
  LineSkipCode | keyof typeof skipReasons,
  ...(LineSkipCode | keyof typeof skipReasons)[],
];

export const ignoredColumns = z
  .array(z.string())
  .exactOptional()
  .describe("Columns of unknown names, if there are any");

/** A line that was skipped, with the person as the line named them. */
export const skippedLine = skippedEntry.extend({
  line: z.int().describe("Of the text, from 1; the first one if it goes over several"),
  code: z.enum(codes),
});
export type SkippedLine = z.infer<typeof skippedLine>;
