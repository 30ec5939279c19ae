import * as z from "zod";
import { capabilityChanges } from "./capabilities";
import { attributes, department, level, name, nickname } from "./participantData";
import { participantRole } from "./participants";
import { onePerson, personNameFields, waysUsed } from "./personNames";

/** What can be changed of a person in a meeting. What is absent stays, null removes. */
export const participantChanges = {
  role: participantRole.exactOptional(),
  displayName: name.nullable().exactOptional(),
  nickname: nickname.nullable().exactOptional(),
  capabilities: capabilityChanges
    .nullable()
    .exactOptional()
    .describe("Those named change, the others stay; null: what the role gives"),
  attributes: attributes.nullable().exactOptional().describe("Takes the place of all there are"),
  level: level.nullable().exactOptional(),
  department: department.nullable().exactOptional(),
  blockedUntil: z
    .int()
    .min(0)
    .max(8.64e15)
    .nullable()
    .exactOptional()
    .describe("May send nothing until then, milliseconds since the epoch"),
};
export type ParticipantChanges = z.output<z.ZodObject<typeof participantChanges>>;

/** One person and what is to be changed of them. */
export const participantChange = z
  .strictObject({ ...personNameFields, ...participantChanges })
  .refine((change) => waysUsed(change) === 1, onePerson);
export type ParticipantChange = z.output<typeof participantChange>;
