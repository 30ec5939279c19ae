import { Script } from "node:vm";
import { bundleFile, SCRIPT_NAMES, type DefinitionBundle, type ScriptName } from "./bundle";

/** The scripts of each bundle that is in use. */
const compiled = new WeakMap<DefinitionBundle, Map<ScriptName, Script>>();

/**
 * Compiles a code of a bundle to a script whose value is a function of `module`, `exports` and what else is to be there. What V8
 * has compiled of this very text in another process is used, if the bundle has it.
 */
export function compileScript(
  bundle: DefinitionBundle,
  name: ScriptName,
  code: string,
  globals: readonly string[] = [],
): Script {
  const source = `(function (${["module", "exports", ...globals].join(", ")}) {\n${code}\n})`;
  const cachedData = bundle.v8Code?.(name);
  const script = new Script(source, {
    filename: bundleFile(bundle),
    lineOffset: -1,
    ...(cachedData ? { cachedData } : {}),
  });
  const scripts = compiled.get(bundle) ?? new Map<ScriptName, Script>();
  compiled.set(bundle, scripts.set(name, script));
  return script;
}

/** What V8 has compiled of a bundle's scripts up to now, for other processes. */
export function v8CodeOf(bundle: DefinitionBundle): Partial<Record<ScriptName, Uint8Array>> {
  const all: Partial<Record<ScriptName, Uint8Array>> = {};
  for (const name of SCRIPT_NAMES) {
    const code = compiled.get(bundle)?.get(name)?.createCachedData() ?? bundle.v8Code?.(name);
    if (code) all[name] = code;
  }
  return all;
}

/** Whether V8, as it runs here, can't use what the bundle has of it. */
export function isV8CodeRejected(bundle: DefinitionBundle): boolean {
  return [...(compiled.get(bundle)?.values() ?? [])].some((script) => script.cachedDataRejected);
}
