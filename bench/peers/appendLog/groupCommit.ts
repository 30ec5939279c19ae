import type { FileHandle } from "node:fs/promises";

type Group = { readonly texts: string[]; readonly written: Promise<void> };

/** Appends to a file; what arrives while the disk is busy shares the next write and sync. */
export class GroupCommit {
  readonly #file: FileHandle;
  #last: Promise<void> = Promise.resolve();
  #open: Group | null = null;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Resolves when the text is on disk. */
  append(text: string): Promise<void> {
    this.#open ??= this.#newGroup();
    this.#open.texts.push(text);
    return this.#open.written;
  }

  #newGroup(): Group {
    const texts: string[] = [];
    const written = this.#last.then(async () => {
      this.#open = null;
      await this.#file.appendFile(texts.join(""));
      await this.#file.datasync();
    });
    this.#last = written;
    return { texts, written };
  }
}
