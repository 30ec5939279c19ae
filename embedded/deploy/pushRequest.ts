/** What the official command line sends to push an app (convex/src/cli/lib/deployApi/startPush.ts). */
import { SCHEMA_PATH, type PushedModule } from "../loader/pushedModules";
import { isObject, type Json, type JsonObject } from "../values/json";
import { PushError } from "./pushError";

/** A module that is as it was in the push before. `sha256`: hex, of its source and source map. */
export type ModuleHash = {
  readonly path: string;
  readonly environment: PushedModule["environment"];
  readonly sha256: string;
};

export type PushRequest = {
  /** The app's folder as `convex.json` names it. */
  readonly functions: string;
  readonly udfServerVersion: string;
  /** All but the modules that have not changed; the schema is one of them. */
  readonly changed: readonly PushedModule[];
  readonly unchanged: readonly ModuleHash[];
};

/** As in Convex. */
const MAX_MODULES = 4_096;
const MODULE_PATH = /^([A-Za-z0-9_.]*[A-Za-z0-9][A-Za-z0-9_.]*\/)*[A-Za-z0-9_.]*[A-Za-z0-9]\.js$/;

/** Reads a request. Throws {@link PushError} if it is not one, or asks for what this runtime has not. */
export function parsePushRequest(body: Json): PushRequest {
  const { functions, appDefinition, componentDefinitions, nodeDependencies } = object(body, "the body");
  const app = object(appDefinition, "appDefinition");
  const dependencies = array(nodeDependencies ?? [], "nodeDependencies");
  if (dependencies.length > 0) {
    const names = dependencies.map((dependency) => text(object(dependency, "a dependency")["name"], "name"));
    throw new PushError(
      "InvalidExternalModules",
      `This server installs no packages, and convex.json names ${names.join(", ")} in node.externalPackages: leave them out there, and they are bundled.`,
    );
  }
  if (array(componentDefinitions ?? [], "componentDefinitions").length > 0) {
    throw new PushError("ComponentsNotSupported", "Components can't be pushed to this server yet.");
  }
  const changed = array(app["changedModules"], "changedModules").map(parseModule);
  const schema = app["schema"] ?? null;
  const unchanged = array(app["unchangedModuleHashes"] ?? [], "unchangedModuleHashes").map(parseHash);
  const paths = [...changed, ...unchanged].map(({ path }) => path);
  if (paths.includes(SCHEMA_PATH)) throw badPush("the schema is among the function modules");
  if (schema !== null) {
    changed.push({ ...parseModule(schema), path: SCHEMA_PATH });
  }
  if (new Set(paths).size < paths.length) throw badPush("a module is there twice");
  const own = paths.filter((path) => !path.startsWith("_deps/")).length;
  if (own > MAX_MODULES || paths.length > 2 * MAX_MODULES) {
    throw new PushError(
      "InvalidModules",
      `Too many function files (${own} > maximum ${MAX_MODULES}) in "convex/". See our docs (https://docs.convex.dev/using/writing-convex-functions#using-libraries) for more details.`,
    );
  }
  return {
    functions: text(functions, "functions"),
    udfServerVersion: text(app["udfServerVersion"], "udfServerVersion"),
    changed,
    unchanged,
  };
}

function parseModule(json: Json): PushedModule {
  const module = object(json, "a module");
  const { source, sourceMap = null } = module;
  return {
    ...parsePlace(module),
    source: text(source, "source"),
    sourceMap: sourceMap === null ? null : text(sourceMap, "sourceMap"),
  };
}

function parseHash(json: Json): ModuleHash {
  const hash = object(json, "a module hash");
  return { ...parsePlace(hash), sha256: text(hash["sha256"], "sha256") };
}

function parsePlace({ path, environment }: JsonObject): Pick<PushedModule, "path" | "environment"> {
  if (environment !== "isolate" && environment !== "node") {
    throw badPush("the environment of a module is neither isolate nor node");
  }
  const place = text(path, "path");
  if (!MODULE_PATH.test(place)) throw badPush(`${JSON.stringify(place)} can't be the path of a module`);
  return { path: place, environment };
}

function object(json: Json | undefined, what: string): JsonObject {
  if (json !== undefined && isObject(json)) return json;
  throw badPush(`${what} is not an object`);
}

function array(json: Json | undefined, what: string): readonly Json[] {
  if (Array.isArray(json)) return json;
  throw badPush(`${what} is not an array`);
}

function text(json: Json | undefined, what: string): string {
  if (typeof json === "string") return json;
  throw badPush(`${what} is not a text`);
}

function badPush(problem: string): PushError {
  return new PushError("InvalidConfig", `This is no push: ${problem}`);
}
