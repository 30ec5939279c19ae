/** What a push changes, in the words of Convex's deploy protocol (convex/src/cli/lib/deployApi/finishPush.ts). */
import type { AuthProvider } from "../auth/providers";
import type { App } from "../functions/app";
import { indexDifferences, type IndexDifference } from "../transaction/indexBuild";
import type { Database } from "../transaction/database";
import type { LoadedApp } from "./appSlot";

type IndexConfig = { name: string; type: "database"; fields: string[] };

export type IndexDiff = {
  added_indexes: IndexConfig[];
  removed_indexes: IndexConfig[];
  enabled_indexes: IndexConfig[];
  disabled_indexes: IndexConfig[];
};

export function indexDiff(database: Database, app: App): IndexDiff {
  const { added, removed } = indexDifferences(database, app.schema.indexes);
  return {
    added_indexes: added.map(indexConfig),
    removed_indexes: removed.map(indexConfig),
    enabled_indexes: [],
    disabled_indexes: [],
  };
}

export function indexConfig({ table, name, fields }: IndexDifference): IndexConfig {
  return { name: `${table}.${name}`, type: "database", fields: [...fields] };
}

/** What the answer to `finish_push` tells. */
export type FinishPushDiff = {
  authDiff: { added: string[]; removed: string[] };
  definitionDiffs: Record<string, object>;
  componentDiffs: Record<string, object>;
};

export const NO_DIFFERENCES: FinishPushDiff = {
  authDiff: { added: [], removed: [] },
  definitionDiffs: {},
  componentDiffs: {},
};

export function pushDifferences(before: LoadedApp, after: LoadedApp, indexes: IndexDiff): FinishPushDiff {
  const crons = (app: App) => new Map([...app.crons].map(([name, spec]) => [name, JSON.stringify(spec)]));
  const [oldCrons, newCrons] = [crons(before.app), crons(after.app)];
  const { added, removed } = changesOf(oldCrons.keys(), newCrons.keys());
  const schemas = [before.app.schema.exported, after.app.schema.exported];
  return {
    authDiff: changesOf(before.providers.map(providerText), after.providers.map(providerText)),
    definitionDiffs: {},
    componentDiffs: {
      "": {
        diffType: { type: "modify" },
        moduleDiff: changesOf(before.app.bundle.functionModules, after.app.bundle.functionModules),
        udfConfigDiff: null,
        cronDiff: {
          added,
          updated: [...newCrons]
            .filter(([name, spec]) => (oldCrons.get(name) ?? spec) !== spec)
            .map(([name]) => name),
          deleted: removed,
        },
        indexDiff: indexes,
        schemaDiff:
          schemas[0] === schemas[1] ? null : { previous_schema: schemas[0], next_schema: schemas[1] },
      },
    },
  };
}

/** A provider as Convex keeps it. */
export function authInfo(provider: AuthProvider): object {
  if (provider.kind === "oidc") return { applicationID: provider.applicationId, domain: provider.issuer };
  const { applicationId = null, issuer, jwks, algorithm } = provider;
  return { type: "customJwt", applicationID: applicationId, issuer, jwks, algorithm };
}

function providerText(provider: AuthProvider): string {
  return JSON.stringify(authInfo(provider));
}

function changesOf(
  before: Iterable<string>,
  after: Iterable<string>,
): { added: string[]; removed: string[] } {
  const [old, now] = [new Set(before), new Set(after)];
  return {
    added: [...now].filter((name) => !old.has(name)),
    removed: [...old].filter((name) => !now.has(name)),
  };
}
