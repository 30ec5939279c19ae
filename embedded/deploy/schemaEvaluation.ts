import type { App } from "../functions/app";
import type { Component } from "../functions/component";
import type { TableInfo } from "../transaction/catalog";
import type { Database } from "../transaction/database";
import { indexDifferences } from "../transaction/indexBuild";
import { rangeOfPrefix, tablePrefix } from "../transaction/keys";
import { indexConfig } from "./differences";

/** Documents are measured for this long before the event loop turns. */
const SLICE_MS = 8;

type Size = { numDocs: number; sizeBytes: number };

/** What a push would check and build (convex/src/cli/lib/deployApi/evaluateSchema.ts), with the sizes of the tables concerned. */
export async function evaluateSchema(database: Database, inForce: App, pushed: App) {
  const evaluations: Record<string, Awaited<ReturnType<typeof evaluateComponent>>> = {};
  for (const [path, component] of pushed.components) {
    evaluations[path] = await evaluateComponent(database, inForce.components.get(path), component);
  }
  return { componentSchemaEvaluations: evaluations, newComponentDefinitions: [] };
}

async function evaluateComponent(database: Database, inForce: Component | undefined, pushed: Component) {
  const { path, schema, definition } = pushed;
  const { added, removed } = indexDifferences(database, path, schema.indexes);
  const walked = schema.checksAfter(inForce?.schema.types ?? {});
  const sizes = new Map<string, Size>();
  for (const name of new Set([...[...added, ...removed].map(({ table }) => table), ...walked.keys()])) {
    const table = database.catalog.table(path, name);
    sizes.set(name, table ? await measure(database, table) : { numDocs: 0, sizeBytes: 0 });
  }
  const sizeOf = (name: string) => sizes.get(name) ?? { numDocs: 0, sizeBytes: 0 };
  const changes = [
    ...added.map((index) => ({ index, change: "added", needsBackfill: true })),
    ...removed.map((index) => ({ index, change: "dropped", needsBackfill: false })),
  ];
  return {
    definitionPath: definition.bundle.definitionPath,
    schemaValidation: schema.checksAfter({}).size > 0,
    tables: [...walked.keys()].map((name) => ({ name, outcome: "mustWalk", ...sizeOf(name) })),
    indexes: changes.map(({ index, ...change }) => ({
      ...indexConfig(index),
      ...change,
      numDocs: sizeOf(index.table).numDocs,
    })),
  };
}

/** Goes through all documents of a table. `sizeBytes`: of their JSON. */
export async function measure(database: Database, { tablet }: TableInfo): Promise<Size> {
  const { start, end } = rangeOfPrefix(tablePrefix(tablet));
  const size = { numDocs: 0, sizeBytes: 0 };
  for (let from = start; ;) {
    const endsAt = performance.now() + SLICE_MS;
    const rows = database.scan(from, end, "asc");
    while (performance.now() < endsAt) {
      const row = rows.next();
      if (row.done) return size;
      const [key, text] = row.value;
      size.numDocs++;
      size.sizeBytes += text.length;
      from = `${key}\0`;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
