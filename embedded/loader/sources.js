// @ts-check
/**
 * What a build was made from, and whether that is still so.
 *
 * This file and buildFile.js are plain JavaScript because scripts/launch.js, which decides whether TypeScript has to be compiled,
 * imports them.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/**
 * A file, or a folder, whose content is the names in it. `stamp`: what the file system says of it, which is another one after
 * every change, as nobody can set the time of the change of a file's status. `hash`: of its content. Both are null where there
 * was nothing.
 *
 * @typedef {{ path: string, stamp: string | null, hash: string | null }} Source
 */

/** What decides, in a folder or above it, how a file is compiled or an import resolved. */
const SETTINGS = ["package.json", "tsconfig.json"];
/** npm's list of what it has installed in a folder node_modules. */
const INSTALLED = ".package-lock.json";

/**
 * Everything that a build depends on which has read `files` and all that lies in `folders`: also the folders in which the files
 * lie, as another one may come before one of them, and the settings of the folders above. Of packages, which only a package
 * manager changes: their `package.json` and what the package manager says it has installed. All paths are absolute.
 *
 * @param {Iterable<string>} files
 * @param {Iterable<string>} folders
 * @returns {string[]} sorted
 */
export function dependenciesOf(files, folders) {
  const all = new Set([...folders].flatMap(everythingIn));
  /** @type {Set<string>} */
  const seen = new Set();
  for (const file of [...all, ...files]) {
    if (!all.has(file) && !isInPackage(file)) all.add(path.dirname(file));
    all.add(file);
    for (let folder = path.dirname(file); !seen.has(folder); folder = path.dirname(folder)) {
      seen.add(folder);
      for (const name of SETTINGS) {
        const settings = path.join(folder, name);
        // What is not there may come, but not into a package.
        if (!isInPackage(settings) || existsSync(settings)) all.add(settings);
      }
      if (path.basename(folder) === "node_modules") all.add(path.join(folder, INSTALLED));
    }
  }
  return [...all].sort();
}

/** @param {string} file */
function isInPackage(file) {
  return file.includes(`${path.sep}node_modules${path.sep}`);
}

/**
 * A folder and all files and folders in it, but no packages.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function everythingIn(folder) {
  const found = [folder];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const inner = path.join(folder, entry.name);
    if (entry.isFile()) found.push(inner);
    else if (entry.isDirectory() && entry.name !== "node_modules") found.push(...everythingIn(inner));
  }
  return found;
}

/**
 * How the sources of a build are that was begun at `startedAtNs`, by the clock of their file system. Null when one of them has
 * changed since then: nobody knows which of its contents was built.
 *
 * @param {readonly string[]} paths
 * @param {bigint} startedAtNs
 * @returns {Source[] | null}
 */
export function recordSources(paths, startedAtNs) {
  /** @type {Source[]} */
  const sources = [];
  for (const file of paths) {
    const before = statusOf(file);
    const hash = before && hashOf(file, before);
    // After the content was read: what it says holds for that content.
    const stat = statusOf(file);
    if ((stat === null) !== (hash === null) || (stat && stat.ctimeNs >= startedAtNs)) return null;
    sources.push({ path: file, stamp: stat && stampOf(stat), hash });
  }
  return sources;
}

/**
 * Whether sources are what they were. Where the stamp is another one the content decides: "touched" says that it was needed.
 *
 * @param {readonly Source[]} sources
 * @returns {"same" | "touched" | "changed"}
 */
export function compareSources(sources) {
  /** @type {"same" | "touched"} */
  let result = "same";
  for (const { path: file, stamp, hash } of sources) {
    const stat = statusOf(file);
    if ((stat && stampOf(stat)) === stamp) continue;
    if (stat === null || hashOf(file, stat) !== hash) return "changed";
    result = "touched";
  }
  return result;
}

/**
 * The same sources with their present stamps, which were all there before `nowNs`. Null when one has changed.
 *
 * @param {readonly Source[]} sources
 * @param {bigint} nowNs
 * @returns {Source[] | null}
 */
export function renewStamps(sources, nowNs) {
  const renewed = recordSources(
    sources.map((source) => source.path),
    nowNs,
  );
  return renewed?.every(({ hash }, i) => hash === sources[i]?.hash) ? renewed : null;
}

/** @param {string} file */
function statusOf(file) {
  return statSync(file, { bigint: true, throwIfNoEntry: false }) ?? null;
}

/** @param {import("node:fs").BigIntStats} stat */
function stampOf({ size, mtimeNs, ctimeNs, ino }) {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
}

/**
 * @param {string} file
 * @param {import("node:fs").BigIntStats} stat
 */
function hashOf(file, stat) {
  const content = stat.isDirectory() ? readdirSync(file).sort().join("\n") : readFileSync(file);
  return createHash("sha256").update(content).digest("base64");
}
