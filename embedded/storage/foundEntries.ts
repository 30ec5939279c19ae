import { hashOfText } from "./keyHash";

type Entry = [key: string, value: string];

type Found = { readonly start: string; readonly entry: Entry };

const PLACES = 1 << 12;

/**
 * What the database was asked for lately and has one entry of. Many requests ask for the same, such as who their caller is, and to
 * find it here takes a tenth of the time.
 */
export class FoundEntries {
  readonly #found = Array<Found | null>(PLACES).fill(null);

  /** The only entry of a range, of which the beginning says all; see `tail` at {@link Store.take}. */
  get(start: string): Entry | undefined {
    const found = this.#found[placeOf(start)];
    return found?.start === start ? found.entry : undefined;
  }

  set(start: string, entry: Entry): void {
    this.#found[placeOf(start)] = { start, entry };
  }

  /** To be called when the database has changed. */
  clear(): void {
    this.#found.fill(null);
  }
}

function placeOf(start: string): number {
  return hashOfText(start) & (PLACES - 1);
}
