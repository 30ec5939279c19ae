/** What a push changes, in the words of Convex's deploy protocol (convex/src/cli/lib/deployApi/finishPush.ts). */
import type { AuthProvider } from "../auth/providers";
import type { App } from "../functions/app";
import type { Component } from "../functions/component";
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

/** What a component's indexes are to become, by the path of the component. */
export function indexDiffs(database: Database, app: App): Record<string, IndexDiff> {
  return Object.fromEntries(
    [...app.components].map(([path, component]) => [path, indexDiff(database, component)]),
  );
}

function indexDiff(database: Database, { path, schema }: Component): IndexDiff {
  const { added, removed } = indexDifferences(database, path, schema.indexes);
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

/** `indexes`: what {@link indexDiffs} gave before the push. */
export function pushDifferences(
  before: LoadedApp,
  after: LoadedApp,
  indexes: Readonly<Record<string, IndexDiff>>,
): FinishPushDiff {
  const paths = new Set([...before.app.components.keys(), ...after.app.components.keys()]);
  return {
    authDiff: changesOf(before.providers.map(providerText), after.providers.map(providerText)),
    definitionDiffs: {},
    componentDiffs: Object.fromEntries(
      [...paths].map((path) => [
        path,
        componentDiff(
          before.app.components.get(path),
          after.app.components.get(path),
          indexes[path] ?? NO_INDEXES,
        ),
      ]),
    ),
  };
}

const NO_INDEXES: IndexDiff = {
  added_indexes: [],
  removed_indexes: [],
  enabled_indexes: [],
  disabled_indexes: [],
};

function componentDiff(before: Component | undefined, after: Component | undefined, indexDiff: IndexDiff) {
  const [oldCrons, newCrons] = [cronTexts(before), cronTexts(after)];
  const { added, removed } = changesOf(oldCrons.keys(), newCrons.keys());
  const [previous, next] = [before?.schema.exported ?? null, after?.schema.exported ?? null];
  return {
    diffType: { type: !before ? "create" : after ? "modify" : "unmount" },
    moduleDiff: changesOf(before?.functionModules ?? [], after?.functionModules ?? []),
    udfConfigDiff: null,
    cronDiff: {
      added,
      updated: [...newCrons]
        .filter(([name, spec]) => (oldCrons.get(name) ?? spec) !== spec)
        .map(([name]) => name),
      deleted: removed,
    },
    indexDiff,
    schemaDiff: previous === next ? null : { previous_schema: previous, next_schema: next },
  };
}

function cronTexts(component: Component | undefined): Map<string, string> {
  return new Map([...(component?.crons ?? [])].map(([name, spec]) => [name, JSON.stringify(spec)]));
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
