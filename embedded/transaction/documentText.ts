/** The JSON text of a document that is as its table wants it, made in the same walk that finds that it is. */
import type { Json, JsonObject } from "../values/json";
import { documentSize, sizeOf } from "../values/size";
import { timeText } from "./creationTime";

/**
 * The size of a value that is legal and as it has to be. Negative for all others, and for what is so rare that it need not be
 * known here.
 */
export type Measure = (value: Json) => number;

/** What a field has to be like. */
export type FieldRule = { readonly name: string; readonly optional: boolean; readonly measure: Measure };

/** What comes behind the id, a string, in a document's text. `size`: of the whole document. */
export type DocumentText = { readonly text: string; readonly size: number };

/**
 * What stands before a field's value, with the closing quote of the string before it, if it was one, and its own opening one. A text
 * that is put together from fewer pieces is so in less time.
 */
type Labels = {
  readonly afterString: { readonly string: string; readonly other: string };
  readonly afterOther: { readonly string: string; readonly other: string };
};

type Field = FieldRule & Labels;

/** Longer strings are looked through faster by `JSON.stringify`. */
const MAX_PLAIN_LENGTH = 64;

const UNDERSCORE = 95;

/**
 * The fields of a table whose documents are objects with certain fields. All that is usual is found here to be right and written;
 * whatever is not, even if it may be right too, is left to those who know why it is wrong.
 */
export class DocumentFields {
  readonly #fields: readonly Field[];

  private constructor(rules: readonly FieldRule[]) {
    this.#fields = rules.map(({ name, optional, measure }) => {
      const label = `,${JSON.stringify(name)}:`;
      const afterString = { string: `"${label}"`, other: `"${label}` };
      const afterOther = { string: `${label}"`, other: label };
      // An object that begins as a copy would have a hidden class of its own, and these are looked at for each field of a document.
      return { name, optional, measure, afterString, afterOther };
    });
  }

  /** `rules`: in the order of their names. `undefined`: a field would come before the system's, or be taken for one. */
  static of(rules: readonly FieldRule[]): DocumentFields | undefined {
    return rules.some(({ name }) => name.charCodeAt(0) <= UNDERSCORE) ? undefined : new DocumentFields(rules);
  }

  /**
   * `null`: the document is wrong, or others have to find out. It may have the system fields of `old`, the document that it takes
   * the place of.
   */
  textOf(document: JsonObject, old: JsonObject | null): DocumentText | null {
    const fields = this.#fields;
    let text = "";
    let isAfterString = true;
    let size = 2;
    let at = 0;
    for (const name of Object.keys(document)) {
      const value = document[name] as Json;
      if (name.charCodeAt(0) === UNDERSCORE) {
        // Documents have no other such fields.
        if (old?.[name] !== value) return null;
        size += name.length + 1 + sizeOf(value);
        continue;
      }
      // Both are in order: what is passed over is not there.
      let field = fields[at++];
      while (field !== undefined && field.name !== name) {
        if (!field.optional) return null;
        field = fields[at++];
      }
      if (field === undefined) return null;
      const valueSize = field.measure(value);
      if (valueSize < 0) return null;
      size += name.length + 1 + valueSize;
      const labels = isAfterString ? field.afterString : field.afterOther;
      isAfterString = typeof value === "string" && isPlain(value);
      if (isAfterString) text += labels.string + (value as string);
      else text += labels.other + (typeof value === "number" ? `${value}` : JSON.stringify(value));
    }
    for (; at < fields.length; at++) if (fields[at]?.optional === false) return null;
    return { text: text + (isAfterString ? '"}' : "}"), size: documentSize(document, size) };
  }
}

/** The whole text of a document. */
export function withSystemText({ text }: DocumentText, id: string, creationTime: number): string {
  return `{"_creationTime":${timeText(creationTime)},"_id":"${id}${text}`;
}

/** Whether the string stands in JSON as it is. */
function isPlain(text: string): boolean {
  const { length } = text;
  if (length > MAX_PLAIN_LENGTH) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
}
