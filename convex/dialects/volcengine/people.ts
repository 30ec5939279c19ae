/** People as requests name them and answers list them. */
import type { Result } from "./context";
import { refuse } from "./errors";
import type { PersonId, PersonName } from "./names";

/** The people whom two fields of a request name, each once; MissingParameter. */
export function peopleOf(
  ids: readonly string[] | undefined,
  strs: readonly string[] | undefined,
  field: string,
): PersonId[] {
  if (ids === undefined && strs === undefined) {
    refuse("MissingParameter", `The request is missing ${field} parameter.`);
  }
  const people = strs && strs.length > 0 ? strs.map((str) => ({ str })) : (ids ?? []).map((id) => ({ id }));
  return [...new Map(people.map((person) => [personKey(person), person])).values()];
}

/** The same for the same external id, whether it is named as a number or as a text. */
export function personKey({ id = "", str }: PersonId): string {
  return str ?? id;
}

/** The same for the same way to name the same person. */
export function nameKey(name: { userId?: string; guestId?: string; externalId?: string }): string {
  return JSON.stringify([name.userId, name.guestId, name.externalId]);
}

/** Names those to whom nothing was done as the request did: numbers in the field, texts in the field that ends in `Str`. */
export function failedAs(field: string, people: readonly PersonId[]): Result {
  const strs = people.flatMap(({ str }) => str ?? []);
  return {
    [field]: people.flatMap(({ id, str }) => (str === undefined && id !== undefined ? [BigInt(id)] : [])),
    ...(strs.length > 0 && { [`${field}Str`]: strs }),
  };
}

/** The fields of an answer that name a person. */
export function nameFields({ id, str }: PersonName): Record<string, unknown> {
  return { ParticipantUserId: id, ParticipantUserIdStr: str };
}
