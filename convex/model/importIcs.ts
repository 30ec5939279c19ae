/** People from iCalendar: the attendees of its events. */
import ICAL from "ical.js";
import type { LineSkipCode } from "../contract/imports";
import { lineSkipReasons } from "../contract/imports";
import {
  invalidLine,
  normalizeLines,
  readEntry,
  type ReadLine,
  type ReadText,
  requireFewLines,
  unreadable,
} from "./importLines";

/** So that nobody makes the parser work on a million parameters. */
const MAX_ATTENDEE_LENGTH = 8192;

/** A line with those that continue it. */
interface ContentLine {
  /** Of the text, from 1. */
  line: number;
  content: string;
}

interface Event {
  attendees: ContentLine[];
  cancelled: boolean;
}

/** The attendees of at most so many lines. IMPORT_UNREADABLE, IMPORT_TOO_LARGE. */
export function readIcs(given: string, limit: number): ReadText {
  const events = eventsOf(contentLinesOf(normalizeLines(given)));
  requireFewLines(
    events.reduce((sum, { attendees }) => sum + attendees.length, 0),
    limit,
  );
  const lines = events.flatMap(({ attendees, cancelled }) =>
    attendees.map((attendee) => readAttendee(attendee, cancelled)),
  );
  return { lines, ignoredColumns: [] };
}

function contentLinesOf(text: string): ContentLine[] {
  const lines: ContentLine[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    const last = lines.at(-1);
    if (last && /^[ \t]/.test(content)) last.content += content.slice(1);
    else lines.push({ line: index + 1, content });
  }
  return lines.filter(({ content }) => content.trim() !== "");
}

/** The events of all calendars in the text. What an alarm in an event says of attendees is not about those of the event. */
function eventsOf(lines: readonly ContentLine[]): Event[] {
  const events: Event[] = [];
  const open: string[] = [];
  let calendarCancelled = false;
  for (const { line, content } of lines) {
    const [, edge, name] = /^(BEGIN|END):\s*([A-Z0-9-]+)\s*$/.exec(content.toUpperCase()) ?? [];
    const component = open.at(-1);
    if (edge === "BEGIN" && name) {
      if ((name === "VCALENDAR") !== (component === undefined)) misplaced(line, name);
      if (name === "VCALENDAR") calendarCancelled = false;
      if (name === "VEVENT") {
        if (component !== "VCALENDAR") misplaced(line, name);
        events.push({ attendees: [], cancelled: calendarCancelled });
      }
      open.push(name);
    } else if (edge === "END" && name) {
      if (open.pop() !== name) misplaced(line, name);
    } else if (component === undefined) {
      unreadable(`Line ${line}: not in a VCALENDAR`);
    } else if (component === "VCALENDAR") {
      calendarCancelled ||= /^METHOD[;:](.*:)?\s*CANCEL\s*$/i.test(content);
    } else if (component === "VEVENT") {
      const event = events.at(-1) as Event;
      if (/^ATTENDEE[;:]/i.test(content)) event.attendees.push({ line, content });
      event.cancelled ||= /^STATUS[;:](.*:)?\s*CANCELLED\s*$/i.test(content);
    }
  }
  if (open.length > 0) unreadable(`The text ends within a ${open.at(-1)}`);
  if (lines.length === 0) unreadable("The text has no VCALENDAR");
  return events;
}

function misplaced(line: number, component: string): never {
  return unreadable(`Line ${line}: ${component} begins or ends where it cannot`);
}

type Parameters = Readonly<Record<string, string | string[] | undefined>>;

function readAttendee({ line, content }: ContentLine, cancelled: boolean): ReadLine {
  if (content.length > MAX_ATTENDEE_LENGTH) {
    return invalidLine(line, `An attendee has at most ${MAX_ATTENDEE_LENGTH} characters`);
  }
  let parameters: Parameters;
  let address: string;
  try {
    const [, given, , value] = ICAL.parse.property(content) as [string, Parameters, string, unknown];
    parameters = given;
    address = String(value);
  } catch {
    return invalidLine(line, "The parameters of the attendee cannot be read");
  }
  const email = emailOf(address, parameters);
  if (email === undefined) return invalidLine(line, "The attendee has no e-mail address");
  if (cancelled) return skip(line, "cancelled", email);
  if (/^(ROOM|RESOURCE|GROUP)$/i.test(textOf(parameters, "cutype"))) return skip(line, "not_a_person", email);
  const name = textOf(parameters, "cn").trim();
  return readEntry(line, {
    email,
    ...(name !== "" && name.toLowerCase() !== email.toLowerCase() && { displayName: name }),
    ...(/^CHAIR$/i.test(textOf(parameters, "role")) && { role: "host" }),
  });
}

/** The address of a mailto URI, or else the one that the parameter for those who are reached otherwise gives. */
function emailOf(address: string, parameters: Parameters): string | undefined {
  const [, mailto] = /^mailto:([^?]*)/i.exec(address.trim()) ?? [];
  if (mailto !== undefined && mailto !== "") return decoded(mailto.trim());
  return textOf(parameters, "email").trim() || undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function textOf(parameters: Parameters, name: string): string {
  const value = parameters[name];
  return typeof value === "string" ? value : "";
}

function skip(line: number, code: Exclude<LineSkipCode, "invalid_line">, email: string): ReadLine {
  return { kind: "skipped", line, skipped: { line, code, reason: lineSkipReasons[code], email } };
}
