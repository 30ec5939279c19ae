/** Finds the function that a function means when it calls, schedules or hands on another one. */
import { DeveloperError } from "../transaction/errors";
import { couldNotFind } from "./checks";
import type { FunctionInfo, LoadedApp, LoadedComponent } from "./loadedApp";
import { canonicalPath, type FunctionPath } from "./paths";

/** How the convex package says which function it means: one of the three. */
export type FunctionAddress = { name?: string; reference?: string; functionHandle?: string };

/** Where a function should be. `info`: the function, if it is there. `path`: as it was written, if it is no path at all. */
export type Target = {
  readonly component: LoadedComponent;
  readonly path: FunctionPath;
  readonly info: FunctionInfo | undefined;
};

/**
 * Finds the function that `from` means by an address: a name is one of its own functions, a reference a public one of its
 * children. Throws {@link DeveloperError} for references and handles that lead nowhere.
 */
export function locate(app: LoadedApp, from: LoadedComponent, address: FunctionAddress): Target {
  const { name, reference, functionHandle } = address;
  if (functionHandle !== undefined) return targetOf(app.handles.find(functionHandle));
  if (name !== undefined) {
    const path = canonicalPath(name);
    const info = path === null ? undefined : from.functions.get(path);
    return { component: from, path: path ?? name, info };
  }
  if (reference === undefined)
    throw new DeveloperError("A function is named by its name, reference or handle");
  return targetOf(followReference(from, reference));
}

/** The handle of the function that `from` means, as JSON. Throws {@link DeveloperError} when there is none. */
export function functionHandle(app: LoadedApp, from: LoadedComponent, address: FunctionAddress): string {
  // A handle is passed on as it is, though it may lead nowhere.
  if (address.functionHandle !== undefined) return JSON.stringify(address.functionHandle);
  const { info, path } = locate(app, from, address);
  if (!info) throw new DeveloperError(couldNotFind(path));
  return JSON.stringify(app.handles.of(info));
}

function targetOf(info: FunctionInfo): Target {
  return { component: info.component, path: info.path, info };
}

/** Where the function lies that `from` means by a name or a reference, if it is there; `null`: it can't be anywhere. */
export function placeOf(
  from: LoadedComponent,
  { name, reference = "" }: FunctionAddress,
): { component: LoadedComponent; path: FunctionPath } | null {
  if (name !== undefined) return placeIn(from, name);
  const [, kind, ...parts] = reference.split("/");
  if (kind === "function") return placeIn(from, parts.join("/"));
  const [childName = "", ...attributes] = parts;
  return placeIn(
    kind === "childComponent" ? from.children.get(childName) : undefined,
    `${attributes.slice(0, -1).join("/")}:${attributes.at(-1) ?? ""}`,
  );
}

function placeIn(component: LoadedComponent | undefined, written: string) {
  const path = canonicalPath(written);
  return component === undefined || path === null ? null : { component, path };
}

/** "_reference/childComponent/child/dir/module/name", or "_reference/function/dir/module:name". */
function followReference(from: LoadedComponent, reference: string): FunctionInfo {
  const [root, kind, childName = "", ...attributes] = reference.split("/");
  const place = placeOf(from, { reference });
  const info = place?.component.functions.get(place.path);
  if (root === "_reference" && kind === "function" && info) return info;
  if (root !== "_reference" || kind !== "childComponent") {
    throw new DeveloperError(`Invalid reference ${reference}`);
  }
  if (!from.children.has(childName)) {
    throw new DeveloperError(`Child component ${JSON.stringify(childName)} not found`);
  }
  if (!info?.isPublic) {
    throw new DeveloperError(
      `Child component ${JSON.stringify(childName)} does not export ${JSON.stringify(attributes)}`,
    );
  }
  return info;
}
