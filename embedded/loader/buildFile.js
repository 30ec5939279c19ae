// @ts-check
/** A build that is kept in a file from one start to the next, together with what it was made from. */
import { isAscii } from "node:buffer";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import { compareSources, recordSources, renewStamps } from "./sources.js";

/**
 * `key`: what the build depends on besides its sources. The parts follow the header, in this order.
 *
 * @typedef {import("./sources.js").Source} Source
 * @typedef {{ name: string, length: number, crc: number }} PartHeader
 * @typedef {{ key: string, sources: readonly Source[], parts: PartHeader[] }} Header
 */

/** How long what a killed process has left lies there. */
const ABANDONED_MS = 60 * 60 * 1000;
const UNFINISHED = ".new";
/** Two numbers of 8 hexadecimal digits: the length of the header and its checksum. */
const PREFIX_LENGTH = 16;

/** The file of a build. It is a cache: where it can't be read or written there is none, and nothing else is wrong. */
export class BuildFile {
  #path;
  #key;

  /**
   * @param {string} file
   * @param {Readonly<Record<string, string>>} settings what the build depends on besides its sources
   */
  constructor(file, settings) {
    this.#path = file;
    const { version, arch, platform } = process;
    this.#key = JSON.stringify({ version, arch, platform, ...settings });
  }

  /**
   * The build that is kept, if all that it was made from is as it was.
   *
   * @returns {KeptBuild | null}
   */
  read() {
    const build = this.#open();
    if (build?.compare()) return build;
    build?.close();
    return null;
  }

  /**
   * To be called before the sources are read. Null where nothing can be kept.
   *
   * @returns {Draft | null}
   */
  begin() {
    const folder = path.dirname(this.#path);
    try {
      mkdirSync(folder, { recursive: true });
      removeAbandoned(folder);
      const unfinished = `${this.#path}.${process.pid}-${(drafts++).toString(36)}${UNFINISHED}`;
      // For its owner alone: it holds digests of variables, which may be secrets.
      writeFileSync(unfinished, "", { mode: 0o600 });
      return new Draft(this.#path, unfinished, this.#key);
    } catch {
      return null;
    }
  }

  #open() {
    let file;
    try {
      file = openSync(this.#path, "r");
      const prefix = readAt(file, 0, PREFIX_LENGTH).toString("latin1");
      const length = Number.parseInt(prefix.slice(0, 8), 16);
      const text = readAt(file, PREFIX_LENGTH, length);
      if (crc32(text) !== Number.parseInt(prefix.slice(8), 16)) throw new Error("damaged");
      /** @type {Header} */
      const header = JSON.parse(text.toString());
      if (header.key !== this.#key) throw new Error("made by another version");
      return new KeptBuild(file, PREFIX_LENGTH + length, header);
    } catch {
      if (file !== undefined) closeSync(file);
      return null;
    }
  }
}

let drafts = 0;

/** A build as it is kept: its parts by their names. It stays what it is when another one takes its place. */
export class KeptBuild {
  /** @type {Map<string, { at: number, length: number, crc: number }>} */
  #parts = new Map();
  #file;
  #sources;
  /** Whether sources had to be read to find out, as after everything was copied. Keeping it again saves that. */
  isTouched = false;

  /**
   * @param {number} file
   * @param {number} headerLength
   * @param {Header} header
   */
  constructor(file, headerLength, header) {
    this.#file = file;
    this.#sources = header.sources;
    let at = headerLength;
    for (const { name, length, crc } of header.parts) {
      this.#parts.set(name, { at, length, crc });
      at += length;
    }
  }

  /** What it was made from. */
  get sources() {
    return this.#sources;
  }

  /** Whether all that it was made from is as it was. */
  compare() {
    const comparison = compareSources(this.#sources);
    this.isTouched = comparison === "touched";
    return comparison !== "changed";
  }

  /**
   * The content of a part. Null if there is no such part, or it is damaged.
   *
   * @param {string} name
   */
  read(name) {
    const part = this.#parts.get(name);
    if (!part) return null;
    try {
      const content = readAt(this.#file, part.at, part.length);
      return crc32(content) === part.crc ? content : null;
    } catch {
      return null;
    }
  }

  /**
   * The same as text. What is ASCII, as code mostly is, takes half the memory and is decoded at once.
   *
   * @param {string} name
   */
  readText(name) {
    const content = this.read(name);
    return content && content.toString(isAscii(content) ? "latin1" : "utf8");
  }

  /**
   * For a text that is wanted at once and hardly ever again, such as code, of which V8 has a text of its own once it is compiled:
   * what gives the text, which after the first time is read anew. Null if there is no such part, or it is damaged or empty; what is
   * given may be null later, where the disk fails.
   *
   * @param {string} name
   * @returns {(() => string | null) | null}
   */
  textReader(name) {
    let atHand = this.readText(name);
    if (!atHand) return null;
    return () => {
      const text = atHand ?? this.readText(name);
      atHand = null;
      return text;
    };
  }

  close() {
    closeSync(this.#file);
  }
}

/** A build that is to be kept once it is made. */
export class Draft {
  #path;
  #unfinished;
  #key;
  #startedAtNs;

  /**
   * @param {string} file
   * @param {string} unfinished an empty file that was made just now
   * @param {string} key
   */
  constructor(file, unfinished, key) {
    this.#path = file;
    this.#unfinished = unfinished;
    this.#key = key;
    // By the clock of the file system, not by ours.
    this.#startedAtNs = statSync(unfinished, { bigint: true }).ctimeNs;
  }

  /**
   * What a build was made from whose sources were read after this draft was begun. Null if one of them has changed meanwhile.
   *
   * @param {readonly string[]} paths
   */
  record(paths) {
    try {
      return recordSources(paths, this.#startedAtNs);
    } catch {
      return null;
    }
  }

  /**
   * What a build was made from, as it is now. Null if it is not what it was.
   *
   * @param {readonly Source[]} sources
   */
  renew(sources) {
    try {
      return renewStamps(sources, this.#startedAtNs);
    } catch {
      return null;
    }
  }

  /**
   * Keeps the build in the place of the one before. A reader finds the one or the other, whole.
   *
   * @param {readonly Source[] | null} sources what it was made from; with null it is not kept
   * @param {ReadonlyMap<string, string | Uint8Array>} parts
   */
  keep(sources, parts) {
    if (sources === null) return this.discard();
    try {
      const contents = [...parts].map(([name, part]) => ({ name, content: Buffer.from(part) }));
      /** @type {Header} */
      const header = {
        key: this.#key,
        sources,
        parts: contents.map(({ name, content }) => ({ name, length: content.length, crc: crc32(content) })),
      };
      const text = Buffer.from(JSON.stringify(header));
      const prefix = [text.length, crc32(text)]
        .map((number) => number.toString(16).padStart(8, "0"))
        .join("");
      const all = [Buffer.from(prefix), text, ...contents.map(({ content }) => content)];
      writeFileSync(this.#unfinished, Buffer.concat(all));
      renameSync(this.#unfinished, this.#path);
    } catch {
      this.discard();
    }
  }

  discard() {
    try {
      rmSync(this.#unfinished, { force: true });
    } catch {
      // It is removed later.
    }
  }
}

/**
 * @param {number} file
 * @param {number} position
 * @param {number} length
 */
function readAt(file, position, length) {
  const content = Buffer.allocUnsafe(length);
  if (readSync(file, content, 0, length, position) !== length) throw new Error("too short");
  return content;
}

/** @param {string} folder */
function removeAbandoned(folder) {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (name.endsWith(UNFINISHED) && statSync(file).mtimeMs < Date.now() - ABANDONED_MS) rmSync(file);
  }
}
