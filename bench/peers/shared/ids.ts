/**
 * Ids of the peers: integers inside, as no database has a faster key, and 32 characters on the wire, as those of the
 * embedded runtime, so that all subjects read and write the same bytes.
 */
const PREFIXES = { user: "user_", meeting: "meet_", participant: "part_" } as const;

type Kind = keyof typeof PREFIXES;

const LENGTH = 32;
/** Every number of so many digits fits a 64-bit integer and a double. */
const DIGITS = 15;

export function wireId(kind: Kind, key: number | bigint | string): string {
  const prefix = PREFIXES[kind];
  return prefix + String(key).padStart(LENGTH - prefix.length, "0");
}

/** The key in an id, or null for a text that is no id of this kind. */
export function keyOf(kind: Kind, id: string): number | null {
  if (id.length !== LENGTH || !id.startsWith(PREFIXES[kind])) return null;
  const digits = id.slice(PREFIXES[kind].length);
  if (!/^\d+$/.test(digits)) return null;
  const key = Number(digits);
  return key < 10 ** DIGITS ? key : null;
}
