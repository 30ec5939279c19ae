import { MAX_BATCH, participantRole, type ParticipantRole } from "../../../convex/contract/participants";
import { Refusal } from "./answers";

export const ADD_PATH = "/api/run/meetings/lifecycle/addMultipleParticipants";
export const GET_MEETING_PATH = "/api/run/meetings/queries/getMeeting";

export type Entry = { readonly userId: string; readonly role: ParticipantRole };
export type AddRequest = { readonly meetingId: string; readonly participants: readonly Entry[] };

const ROLES: ReadonlySet<unknown> = new Set(participantRole.options);

/** Checks the body of addMultipleParticipants, or throws {@link Refusal}. By hand: no schema library is as quick. */
export function readAddRequest(body: unknown): AddRequest {
  const { meetingId, participants } = readArgs(body, ["meetingId", "participants"]);
  if (typeof meetingId !== "string") throw invalid("meetingId");
  if (!Array.isArray(participants) || participants.length > MAX_BATCH) throw invalid("participants");
  for (const entry of participants as unknown[]) {
    if (!isObject(entry) || typeof entry["userId"] !== "string" || !ROLES.has(entry["role"])) {
      throw invalid("participants");
    }
    if (Object.keys(entry).length !== 2) throw invalid("participants");
  }
  return { meetingId, participants: participants as Entry[] };
}

export function readMeetingId(body: unknown): string {
  const { meetingId } = readArgs(body, ["meetingId"]);
  if (typeof meetingId !== "string") throw invalid("meetingId");
  return meetingId;
}

function readArgs(body: unknown, names: readonly string[]): Record<string, unknown> {
  const args = isObject(body) ? body["args"] : undefined;
  if (!isObject(args)) throw invalid("args");
  if (!Object.keys(args).every((name) => names.includes(name))) throw invalid("args");
  return args;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(where: string): Refusal {
  return new Refusal("INVALID_ARGUMENT", `${where} is missing, or not what it must be`);
}
