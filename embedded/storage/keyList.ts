/** Writes in the order in which they came, by their places among them. */
export interface KeyList {
  readonly length: number;
  keyAt(i: number): string;
  /** `null`: the key is deleted. */
  valueAt(i: number): string | null;
  /** The hash of a key without its last characters. */
  hashAt(i: number, tail: number): number;
  /** Of a key that begins with an id, as those of a group do, a hash of it, see {@link groupHashOf}; of others anything. */
  groupHashAt(i: number): number;
  /** Whether a key begins with a text, and has so many characters more. */
  hasStemAt(i: number, stem: string, tail: number): boolean;
  /** Whether a key begins with the first characters of a text, so many. */
  beginsAt(i: number, text: string, chars: number): boolean;
}
