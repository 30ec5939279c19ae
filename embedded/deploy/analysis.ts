/** What a pushed app consists of, in the words of Convex's deploy protocol (convex/src/cli/lib/deployApi/startPush.ts). */
import { analyzeModules } from "../functions/analysis";
import type { App } from "../functions/app";
import type { Component } from "../functions/component";
import type { Json } from "../values/json";

/** The definitions of which the app is made, by their paths. */
export function analyzeDefinitions(app: App, serverVersion: string) {
  const definitions: Record<string, ReturnType<typeof analyzeDefinition>> = {};
  for (const component of app.components.values()) {
    definitions[component.definition.bundle.definitionPath] ??= analyzeDefinition(component, serverVersion);
  }
  return definitions;
}

/** `component`: any instance of the definition. */
function analyzeDefinition(component: Component, serverVersion: string) {
  const { bundle, exported } = component.definition;
  const { exported: schema } = component.schema;
  return {
    definition: {
      definitionType: { type: "app" },
      childComponents: [],
      httpMounts: {},
      ...exported,
      path: bundle.definitionPath,
      exports: component.isRoot ? { type: "branch", branch: [] } : exportsOf(component),
    },
    schema: schema === null ? null : (JSON.parse(schema) as Json),
    functions: analyzeModules(component),
    udfConfig: {
      serverVersion,
      importPhaseRngSeed: { $bytes: Buffer.alloc(32).toString("base64") },
      importPhaseUnixTimestamp: { $integer: Buffer.alloc(8).toString("base64") },
    },
  };
}

type Exports = { type: "leaf"; leaf: string } | Branch;
type Branch = { type: "branch"; branch: [name: string, exports: Exports][] };

/** The public functions as a tree: folders, modules, functions. */
function exportsOf({ functions }: Component): Branch {
  const root: Branch = { type: "branch", branch: [] };
  for (const { module, exportName, isPublic } of functions.values()) {
    if (!isPublic) continue;
    let branch = root;
    for (const name of module.slice(0, -".js".length).split("/")) branch = branchOf(branch, name);
    branch.branch.push([exportName, { type: "leaf", leaf: `_reference/function/${module}:${exportName}` }]);
  }
  return root;
}

function branchOf({ branch }: Branch, name: string): Branch {
  const found = branch.find(([other, exports]) => other === name && exports.type === "branch");
  if (found) return found[1] as Branch;
  const added: Branch = { type: "branch", branch: [] };
  branch.push([name, added]);
  return added;
}

/** A component and all within it. */
export type CheckedComponent = {
  definitionPath: string;
  componentPath: string;
  args: object;
  childComponents: Record<string, CheckedComponent>;
  httpRoutes: { httpModuleRoutes: { method: string; path: string }[] | null; mounts: string[] };
  exports: object;
};

export function checkedComponent(component: Component): CheckedComponent {
  const routes = component.httpRoutes();
  return {
    definitionPath: component.definition.bundle.definitionPath,
    componentPath: component.path,
    args: {},
    childComponents: Object.fromEntries(
      [...component.children].map(([name, child]) => [name, checkedComponent(child)]),
    ),
    httpRoutes: {
      httpModuleRoutes: routes.length > 0 ? routes : null,
      mounts: [...component.httpMounts.keys()],
    },
    exports: {},
  };
}
