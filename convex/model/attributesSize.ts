/**
 * How much is said of the people whom one transaction reads and writes. A row has up to 48 KiB of attributes, and Convex lets a
 * transaction read 16 MiB and write 16 MiB.
 */
import type { Doc } from "../_generated/dataModel";
import type { ParticipantData } from "../contract/participantData";
import { fail } from "./errors";

type Attributes = ParticipantData["attributes"];

/** Whoever is changed is read a second time. */
const MAX_READ_BYTES = 7 * 1024 * 1024;
/** What is left is for all else that is said of people. */
const MAX_WRITTEN_BYTES = 14 * 1024 * 1024;
/**
 * How many people's rows are read before it is known how long they are: with the longest attributes, 48 KiB each, these are 6 of the
 * 16 MiB that a transaction may read.
 */
export const ROWS_AT_ONCE = 128;

const encoder = new TextEncoder();

/**
 * Reads the rows of many people. PAYLOAD_TOO_LARGE, if more is said of these than one transaction can read and change.
 *
 * @param rowOf the row in what has been found
 * @returns what has been found of each, in their order
 */
export async function findInPortions<Item, Found>(
  items: readonly Item[],
  find: (item: Item, index: number) => Promise<Found>,
  rowOf: (found: Found) => Pick<Doc<"meetingParticipants">, "attributes"> | null,
): Promise<Found[]> {
  if (items.length <= ROWS_AT_ONCE) return Promise.all(items.map(find));
  const all: Found[] = [];
  let bytes = 0;
  for (let start = 0; start < items.length; start += ROWS_AT_ONCE) {
    const portion = items.slice(start, start + ROWS_AT_ONCE);
    const found = await Promise.all(portion.map((item, index) => find(item, start + index)));
    for (const one of found) bytes += bytesOf(rowOf(one)?.attributes);
    if (bytes > MAX_READ_BYTES) {
      fail(
        "PAYLOAD_TOO_LARGE",
        `The attributes of the first ${all.length + found.length} people have ${bytes} bytes of JSON, more than the ${MAX_READ_BYTES} that can be read at once: name fewer people in one request`,
      );
    }
    all.push(...found);
  }
  return all;
}

/**
 * PAYLOAD_TOO_LARGE, if the attributes of people who are to be changed are more than one transaction can write. A row is written as
 * a whole; new attributes go into the event of the change as well, beside those that were there before.
 *
 * @param changes where `after` is `undefined`, the attributes stay as they are
 */
export function requireWritable(changes: readonly { after: Attributes | null; before: Attributes }[]): void {
  let bytes = 0;
  for (const { after, before } of changes) bytes += 2 * bytesOf(after) + bytesOf(before);
  if (bytes > MAX_WRITTEN_BYTES) {
    fail(
      "PAYLOAD_TOO_LARGE",
      `The attributes of all people together make ${bytes} bytes of JSON, more than the ${MAX_WRITTEN_BYTES} that can be written at once: name fewer people in one request`,
    );
  }
}

/** The bytes of attributes in JSON. */
function bytesOf(attributes: Attributes | null): number {
  return attributes ? encoder.encode(JSON.stringify(attributes)).length : 0;
}
