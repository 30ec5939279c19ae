/** The app that was pushed last, as it is kept in the database. */
import { createHash } from "node:crypto";
import type { PushedModule } from "../loader/pushedModules";
import { MAX_TEXT_BYTES } from "../storage/store";
import type { Database } from "../transaction/database";
import { metaKey, PUSHED_MODULES, pushedModuleKey } from "../transaction/keys";
import { PushError } from "./pushError";

/** `sha256`: hex, of the source and the source map, as the official command line computes it. */
export type KeptModule = PushedModule & { readonly sha256: string };

export type KeptApp = {
  readonly functions: string;
  readonly udfServerVersion: string;
  /** By their keys. */
  readonly modules: ReadonlyMap<string, KeptModule>;
};

const KEY = metaKey("pushedApp");

/** What a module is known by among those of the app and of its components: its path, if it is the app's own. */
export function moduleKey({ definitionPath, path }: Pick<PushedModule, "definitionPath" | "path">): string {
  return definitionPath === "" ? path : `${definitionPath}\n${path}`;
}

export function withHash(module: PushedModule): KeptModule {
  const sha256 = createHash("sha256")
    .update(module.source)
    .update(module.sourceMap ?? "")
    .digest("hex");
  return { ...module, sha256 };
}

/** `null` when nothing was pushed yet. */
export function readKeptApp(database: Database): KeptApp | null {
  const text = database.get(KEY);
  if (text === undefined) return null;
  const modules = new Map<string, KeptModule>();
  const rows = database.scan(PUSHED_MODULES.start, PUSHED_MODULES.end, "asc");
  for (let row = rows.next(); !row.done; row = rows.next()) {
    const module = JSON.parse(row.value[1]) as KeptModule;
    modules.set(moduleKey(module), module);
  }
  return { ...(JSON.parse(text) as Omit<KeptApp, "modules">), modules };
}

/** What is to be written to keep an app in the place of the one that is kept. Throws {@link PushError} for a module too large. */
export function keepingWrites(database: Database, app: KeptApp): [string, string | null][] {
  const before = readKeptApp(database)?.modules ?? new Map<string, KeptModule>();
  const { modules, ...rest } = app;
  const writes: [string, string | null][] = [[KEY, JSON.stringify(rest)]];
  for (const key of before.keys()) if (!modules.has(key)) writes.push([pushedModuleKey(key), null]);
  for (const [key, module] of modules) {
    const old = before.get(key);
    if (old?.sha256 === module.sha256 && old.environment === module.environment) continue;
    const text = JSON.stringify(module);
    if (Buffer.byteLength(text) > MAX_TEXT_BYTES) {
      throw new PushError(
        "InvalidModules",
        `${module.path} with its source map is larger than ${MAX_TEXT_BYTES} bytes`,
      );
    }
    writes.push([pushedModuleKey(key), text]);
  }
  return writes;
}
