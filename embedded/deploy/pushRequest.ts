/** What the official command line sends to push an app (convex/src/cli/lib/deployApi/startPush.ts). */
import { CONFIG_PATH, SCHEMA_PATH, type PushedModule } from "../loader/pushedModules";
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
  /**
   * All but the modules of the app that have not changed: its own, schema and convex.config among them, and those of its
   * components.
   */
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
  const components = array(componentDefinitions ?? [], "componentDefinitions");
  const changed = array(app["changedModules"], "changedModules").map((module) => parseModule(module, ""));
  const unchanged = array(app["unchangedModuleHashes"] ?? [], "unchangedModuleHashes").map(parseHash);
  const paths = [...changed, ...unchanged].map(({ path }) => path);
  requireFunctions(paths);
  changed.push(...parseConfigs(app, ""));
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
    changed: [...changed, ...parseComponents(components)],
    unchanged,
  };
}

/** The modules of the definitions of components. */
function parseComponents(components: readonly Json[]): PushedModule[] {
  const seen = new Set([""]);
  return components.flatMap((json) => {
    const component = object(json, "a component definition");
    const definitionPath = text(component["definitionPath"], "definitionPath");
    if (definitionPath === "" || seen.has(definitionPath))
      throw badPush("a component definition is there twice");
    seen.add(definitionPath);
    const functions = array(component["functions"], "functions").map((module) =>
      parseModule(module, definitionPath),
    );
    const paths = functions.map(({ path }) => path);
    requireFunctions(paths);
    if (new Set(paths).size < paths.length) throw badPush("a module is there twice");
    if (paths.length > 2 * MAX_MODULES) {
      throw new PushError("InvalidModules", `Too many function files in component ${definitionPath}`);
    }
    if (functions.some(({ environment }) => environment === "node")) {
      throw new PushError("InvalidModules", `Component ${definitionPath} can't have modules for Node`);
    }
    return [...functions, ...parseConfigs(component, definitionPath)];
  });
}

/** Schema and convex.config of a definition, as far as it has them. */
function parseConfigs({ schema, definition }: JsonObject, definitionPath: string): PushedModule[] {
  const modules: PushedModule[] = [];
  for (const [json, path] of [
    [schema, SCHEMA_PATH],
    [definition, CONFIG_PATH],
  ] as const) {
    if (json !== undefined && json !== null) modules.push({ ...parseModule(json, definitionPath), path });
  }
  return modules;
}

function requireFunctions(paths: readonly string[]): void {
  if (paths.includes(SCHEMA_PATH)) throw badPush("the schema is among the function modules");
  if (paths.includes(CONFIG_PATH)) throw badPush("convex.config is among the function modules");
}

function parseModule(json: Json, definitionPath: string): PushedModule {
  const module = object(json, "a module");
  const { source, sourceMap = null } = module;
  return {
    definitionPath,
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
