import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { arch, endianness } from "node:os";

/*
 * LMDB reads its file through a memory map and trusts what it finds: a page that is cut off kills the process
 * (SIGBUS), a damaged one may. So the file is looked at before it is mapped. LMDB's layout, of the version that
 * lmdb bundles, in 64 bits and little endian:
 *
 *   page header, 24 bytes: page number (8), transaction (8), padding (2), flags (2), end of the node list (2), (2)
 *   meta pages 0 and 1:    magic (4), version (4), address (8), map size (8), two trees, last page (8), transaction (8)
 *   tree, 48 bytes:        page size, in the first tree (4), flags (2), depth (2), four counts (8 each), root page (8)
 *   branch and leaf pages: offsets of the nodes, counted from the end of the header (2 each); the nodes
 *   node:                  low word (2), high word (2), flags (2), key size (2), key, data
 */
const PAGE_HEADER = 24;
const FLAGS_AT = 18;
const NODES_END_AT = 20;
const BRANCH = 0x01;
const LEAF = 0x02;
const META = 0x08;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const TREES_AT = PAGE_HEADER + 24;
const TREE_BYTES = 48;
const DEPTH_AT = 6;
const ROOT_AT = 40;
const LAST_PAGE_AT = TREES_AT + 2 * TREE_BYTES;
const TRANSACTION_AT = LAST_PAGE_AT + 8;
const META_END = TRANSACTION_AT + 8;
const NODE_HEADER = 8;
/** A leaf's value is elsewhere: page (8), transaction (8), number of pages (8). */
const BIG_VALUE = 0x01;
/** 64 bits that are set, as {@link numberAt} gives them. */
const NO_PAGE = 2 ** 64;

/** Layouts of other processors differ; LMDB's own, weaker checks must do for them. */
const KNOWN_LAYOUT = endianness() === "LE" && ["x64", "arm64", "riscv64", "loong64"].includes(arch());

/**
 * What is wrong with a database file, as the end of a sentence that begins with its name ("is empty"), or null.
 *
 * Finds what is cut off, and damage of the meta pages and of the inner pages of the trees, of which there are few.
 * Leaves are not read (LMDB has no checksums that could vouch for them), unless the file is shorter than the pages
 * in use: LMDB leaves out free pages at the end, so that alone is no damage.
 *
 * @throws Error if the file cannot be read
 */
export function findDamage(path: string): string | null {
  if (!KNOWN_LAYOUT) return null;
  const file = openSync(path, "r");
  try {
    return new LmdbFile(file, fstatSync(file).size).findDamage();
  } finally {
    closeSync(file);
  }
}

type Tree = { root: number; depth: number };

type Meta = { pageBytes: number; trees: Tree[]; lastPage: number; transaction: bigint };

class LmdbFile {
  readonly #file: number;
  readonly #bytes: number;
  /** By their levels, the pages that are being looked at. */
  readonly #open: Buffer[] = [];
  #pageBytes = 0;
  #pages = 0;

  constructor(file: number, bytes: number) {
    this.#file = file;
    this.#bytes = bytes;
  }

  findDamage(): string | null {
    if (this.#bytes === 0) return "is empty";
    const first = this.#readMeta(0, 0);
    if (first === null) return "does not begin like a database";
    const second = this.#readMeta(1, first.pageBytes);
    if (second === null || second.pageBytes !== first.pageBytes) return "does not begin like a database";

    const meta = second.transaction > first.transaction ? second : first;
    this.#pageBytes = meta.pageBytes;
    this.#pages = Math.floor(this.#bytes / meta.pageBytes);
    const isShort = this.#pages <= meta.lastPage;
    for (const { root, depth } of meta.trees) {
      const damage = root === NO_PAGE ? null : this.#findDamageBelow(root, depth, isShort);
      if (damage !== null) return damage;
    }
    return null;
  }

  #readMeta(number: number, position: number): Meta | null {
    const page = Buffer.alloc(META_END);
    if (
      !this.#read(page, position) ||
      numberAt(page, 0) !== number ||
      (page.readUInt16LE(FLAGS_AT) & META) === 0
    )
      return null;
    if (
      page.readUInt32LE(PAGE_HEADER) !== MAGIC ||
      (page.readUInt32LE(PAGE_HEADER + 4) & 0xffff) !== VERSION
    ) {
      return null;
    }
    const pageBytes = page.readUInt32LE(TREES_AT);
    if (pageBytes < 256 || pageBytes > 65536 || (pageBytes & (pageBytes - 1)) !== 0) return null;
    return {
      pageBytes,
      trees: [TREES_AT, TREES_AT + TREE_BYTES].map((tree) => ({
        root: numberAt(page, tree + ROOT_AT),
        depth: page.readUInt16LE(tree + DEPTH_AT),
      })),
      lastPage: numberAt(page, LAST_PAGE_AT),
      transaction: page.readBigUInt64LE(TRANSACTION_AT),
    };
  }

  /** Follows a tree from a page down, of as many levels as are left; into its leaves only if asked to. */
  #findDamageBelow(number: number, levels: number, readLeaves: boolean): string | null {
    const cutOff = this.#findCutOff(number, 1);
    if (cutOff !== null) return cutOff;
    const problem = `is damaged at page ${number}`;
    const page = (this.#open[levels] ??= Buffer.alloc(this.#pageBytes));
    if (!this.#read(page, number * this.#pageBytes) || numberAt(page, 0) !== number) return problem;
    const kind = levels > 1 ? BRANCH : LEAF;
    const nodes = page.readUInt16LE(NODES_END_AT) / 2;
    if (
      (page.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF)) !== kind ||
      PAGE_HEADER + nodes * 2 > this.#pageBytes
    ) {
      return problem;
    }
    for (let i = 0; i < nodes; i++) {
      const node = PAGE_HEADER + page.readUInt16LE(PAGE_HEADER + i * 2);
      if (node + NODE_HEADER > this.#pageBytes) return problem;
      let damage: string | null;
      if (kind === LEAF) damage = this.#findDamageInValue(page, node, problem);
      else if (levels > 2 || readLeaves)
        damage = this.#findDamageBelow(childOf(page, node), levels - 1, readLeaves);
      else damage = this.#findCutOff(childOf(page, node), 1);
      if (damage !== null) return damage;
    }
    return null;
  }

  #findDamageInValue(page: Buffer, node: number, problem: string): string | null {
    if ((page.readUInt16LE(node + 4) & BIG_VALUE) === 0) return null;
    const data = node + NODE_HEADER + page.readUInt16LE(node + 6);
    if (data + 24 > this.#pageBytes) return problem;
    return this.#findCutOff(numberAt(page, data), numberAt(page, data + 16));
  }

  #findCutOff(number: number, count: number): string | null {
    const pages = number + count;
    if (pages <= this.#pages) return null;
    const wanted = BigInt(pages) * BigInt(this.#pageBytes);
    return `is cut off: it has ${this.#bytes} bytes and should have ${wanted} or more`;
  }

  /** Fills a buffer from there on; `false`: the file has less. */
  #read(buffer: Buffer, position: number): boolean {
    return readSync(this.#file, buffer, 0, buffer.length, position) === buffer.length;
  }
}

/** Of 64 bits, as near as a number comes: exact for all pages that a file can have. (A million of them would take long as bigints.) */
function numberAt(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 2 ** 32;
}

function childOf(page: Buffer, node: number): number {
  return page.readUInt32LE(node) + page.readUInt16LE(node + 4) * 2 ** 32;
}
