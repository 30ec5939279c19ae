// @ts-check
/**
 * `npm start`: runs scripts/server.ts. To compile it takes longer than to start the server, so it is kept compiled until one of
 * the files changes of which it is made.
 */
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { Script } from "node:vm";
import { BuildFile } from "../embedded/loader/buildFile.js";
import { dependenciesOf } from "../embedded/loader/sources.js";
import { sourcePlaces } from "./sourcePlaces.js";

/** When the code that V8 has compiled is kept: it then holds what a start calls, and the first requests have been answered. */
const KEEP_AFTER_MS = 500;

// The sizes of the young generation that `npm start` asks for are for this thread. Others, which are started later, have limits of
// their own, before which these would come.
for (const end of ["min", "max"]) setFlagsFromString(`--${end}-semi-space-size=0`);

const project = fileURLToPath(new URL("..", import.meta.url));
const entry = path.join(project, "scripts/server.ts");
/** What stack traces call the script where they can't name its sources. */
const scriptFile = path.join(project, "server.js");
const file = new BuildFile(path.join(project, "node_modules/.cache/connvo-meetings/server"), { project });

/** They decide how the script is made. */
const OWN_FILES = ["launch.js", "compileServer.js"].map((name) => path.join(project, "scripts", name));

const server = loadKept() ?? (await compile());
const script = new Script(`(function (exports, require, module) {${server.readCode()}\n})`, {
  filename: scriptFile,
  ...(server.v8Code === null ? {} : { cachedData: server.v8Code }),
});
const module = { exports: /** @type {typeof import("./server.ts")} */ ({}) };
script.runInThisContext()(module.exports, createRequire(entry), module);
await module.exports.runServer(process.argv.slice(2), print).catch((error) => {
  print(error);
  process.exit(1);
});
if (server.v8Code === null || script.cachedDataRejected) setTimeout(keepV8Code, KEEP_AFTER_MS).unref();

/** Prints what went wrong, with the places in the sources. @param {unknown} error */
function print(error) {
  const map = server.readMap();
  const text = inspect(error);
  console.error(map === null ? text : sourcePlaces(text, scriptFile, map));
}

/** What is kept, if it is made of the files as they are. */
function loadKept() {
  const kept = file.read();
  const readCode = kept?.textReader("code");
  if (!kept || !readCode) return null;
  const readMap = () => kept.readText("sourceMap");
  return { readCode, readMap, v8Code: kept.read("v8Code"), sources: kept.sources };
}

async function compile() {
  const draft = file.begin();
  // Only here, as it takes its time.
  const { compileServer } = await import("./compileServer.js");
  const { code, sourceMap, inputs } = await compileServer(project, entry);
  const sources = draft?.record(dependenciesOf([...inputs, ...OWN_FILES], [])) ?? null;
  draft?.keep(
    sources,
    new Map([
      ["code", code],
      ["sourceMap", sourceMap],
    ]),
  );
  return { readCode: () => code, readMap: () => sourceMap, v8Code: null, sources };
}

function keepV8Code() {
  const { readCode, readMap, sources } = server;
  const code = readCode();
  if (code === null) return;
  const parts = { code, sourceMap: readMap() ?? "", v8Code: script.createCachedData() };
  file.begin()?.keep(sources, new Map(Object.entries(parts)));
}
