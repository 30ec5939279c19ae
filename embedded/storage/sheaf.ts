import { layoutText, MOST, MOST_LAYOUT_BYTES, PREFIX_BYTES, type SheafKey } from "./sheafLayout.js";

/**
 * Several keys without values that are made of the same parts, as the index entries of a document are: of a table with five indexes all
 * of them as one write take less than half of the bytes. Nobody has ever written one of these keys before.
 */
export type Sheaf = { readonly layout: SheafLayout; readonly parts: readonly string[] };

/** Of which parts keys are made, of all sheaves that are alike. */
export class SheafLayout {
  /** As it stands before each of them in bytes, see sheafLayout.js. */
  readonly text: string;

  /** `parts`: how many there are. */
  constructor(
    readonly parts: number,
    readonly keys: readonly SheafKey[],
  ) {
    this.text = layoutText(parts, keys);
  }

  /** `null`: these can't be keys of a sheaf. */
  static of(parts: number, keys: readonly SheafKey[]): SheafLayout | null {
    const isLegal = (key: SheafKey) => key.prefix.length === PREFIX_BYTES && key.parts.length <= MOST;
    if (parts > MOST || keys.length > MOST || !keys.every(isLegal)) return null;
    const layout = new SheafLayout(parts, keys);
    return layout.text.length <= MOST_LAYOUT_BYTES ? layout : null;
  }
}

/** Whether these can be parts of a sheaf. */
export function areParts(parts: readonly string[]): boolean {
  for (let i = 0; i < parts.length; i++) if ((parts[i] as string).length > MOST) return false;
  return true;
}

/** One of the keys of a sheaf. */
export function keyOfSheaf(key: SheafKey, parts: readonly string[]): string {
  let text = key.prefix;
  for (let i = 0; i < key.parts.length; i++) text += parts[key.parts[i] as number] as string;
  return text;
}

export function keysOfSheaf({ layout, parts }: Sheaf): string[] {
  return layout.keys.map((key) => keyOfSheaf(key, parts));
}
