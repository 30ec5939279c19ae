/** What a loaded component consists of, in the words of Convex's deploy protocol. */
import type { Component } from "./component";
import type { FunctionInfo, FunctionKind } from "./loadedApp";
import { CRONS_MODULE, HTTP_MODULE } from "./bundle";
import type { CronSchedule } from "./cronSpecs";
import { modulePath } from "./paths";

const TYPE_NAMES: Record<FunctionKind, string> = { query: "Query", mutation: "Mutation", action: "Action" };

/** By the path of the module. */
export type AnalyzedModules = Record<
  string,
  {
    functions: ReturnType<typeof analyzeFunction>[];
    httpRoutes: { route: { method: string; path: string }; pos: null }[] | null;
    cronSpecs: ReturnType<typeof cronSpecs> | null;
    sourceMapped: null;
  }
>;

/** The functions, routes and crons of each module. */
export function analyzeModules(component: Component): AnalyzedModules {
  const modules: AnalyzedModules = {};
  for (const module of component.functionModules) {
    modules[module] = {
      functions: [...component.functions.values()]
        .filter((info) => info.module === module)
        .map(analyzeFunction),
      httpRoutes:
        module === HTTP_MODULE ? component.httpRoutes().map((route) => ({ route, pos: null })) : null,
      cronSpecs: module === CRONS_MODULE ? cronSpecs(component) : null,
      sourceMapped: null,
    };
  }
  return modules;
}

function analyzeFunction({ exportName, kind, isPublic, args, returns }: FunctionInfo) {
  return {
    name: exportName,
    pos: null,
    udfType: TYPE_NAMES[kind],
    visibility: { kind: isPublic ? "public" : "internal" },
    args: JSON.stringify(args),
    returns: JSON.stringify(returns ?? { type: "any" }),
  };
}

function cronSpecs({ crons }: Component) {
  return [...crons].map(([identifier, { path, args, schedule }]) => ({
    identifier,
    spec: {
      udfPath: modulePath(path),
      udfArgs: [...Buffer.from(JSON.stringify([args]))],
      cronSchedule: cronSchedule(schedule),
    },
  }));
}

function cronSchedule(schedule: CronSchedule) {
  return schedule.kind === "interval"
    ? { type: "interval", seconds: schedule.everyMs / 1000 }
    : { type: "cron", cronExpr: schedule.expression };
}
