/** How components are found and put together, and what is said of those that can't be. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bundleApp } from "../../embedded/loader/bundle";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import { startRuntime } from "./harness";

let project: string;

beforeEach(async () => {
  project = await mkdtemp(path.join(tmpdir(), "loading-"));
  await symlink(
    fileURLToPath(new URL("../../node_modules", import.meta.url)),
    path.join(project, "node_modules"),
    "dir",
  );
});
afterEach(() => rm(project, { recursive: true, force: true }));

/** Writes the files of an app and gives its folder, a new one each time. */
async function writeApp(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(path.join(project, "convex-"));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return folder;
}

const define = (body: string) =>
  `import { defineApp, defineComponent } from "convex/server"; import { v } from "convex/values"; ${body}`;
const APP = define(
  'import a from "./a/convex.config"; const app = defineApp(); app.use(a); export default app;',
);
const FUNCTIONS = `import { mutationGeneric, queryGeneric, componentsGeneric } from "convex/server";
  export const add = mutationGeneric({ handler: (ctx) => ctx.db.insert("rows", {}) });
  export const count = queryGeneric({ handler: async (ctx) => (await ctx.db.query("rows").collect()).length });`;
const USING = `import { mutationGeneric, queryGeneric, componentsGeneric } from "convex/server";
  const { a } = componentsGeneric();
  export const add = mutationGeneric({ handler: (ctx) => ctx.runMutation(a.lib.add, {}) });
  export const count = queryGeneric({ handler: (ctx) => ctx.runQuery(a.lib.count, {}) });`;

async function load(files: Record<string, string>, environment: Record<string, string> = {}) {
  return startRuntime(new MemoryStore(), { appFolder: await writeApp(files), environment });
}

test("an app without components has none, and its bundle says so", async () => {
  const { components, hasConfig, definitionPath } = await bundleApp(await writeApp({ "lib.ts": FUNCTIONS }));
  expect({ components, hasConfig, definitionPath }).toEqual({
    components: [],
    hasConfig: false,
    definitionPath: "",
  });
});

test("a definition that is reached on two ways is bundled once, and is no module of the app", async () => {
  const { components, functionModules } = await bundleApp(
    await writeApp({
      "convex.config.ts": define(
        'import a from "./a/convex.config"; import b from "./b/convex.config.js"; const app = defineApp(); app.use(a); app.use(b); export default app;',
      ),
      "lib.ts": FUNCTIONS,
      "a/convex.config.ts": define(
        'import b from "../b/convex.config"; const c = defineComponent("a"); c.use(b); export default c;',
      ),
      "a/lib.ts": FUNCTIONS,
      "b/convex.config.ts": define('export default defineComponent("b");'),
      "b/lib.ts": FUNCTIONS,
    }),
  );
  expect(functionModules).toEqual(["lib.js"]);
  expect(components.map((component) => [component.definitionPath, component.functionModules])).toEqual([
    ["a", ["lib.js"]],
    ["b", ["lib.js"]],
  ]);
});

test("the data of a component that is taken out waits for it to come back", async () => {
  const store = new MemoryStore();
  const component = {
    "a/convex.config.ts": define('export default defineComponent("a");'),
    "a/lib.ts": FUNCTIONS,
  };
  const withComponent = await writeApp({ "convex.config.ts": APP, "app.ts": USING, ...component });
  const without = await writeApp({ "app.ts": USING, ...component });
  const before = await startRuntime(store, { appFolder: withComponent });
  await before.mutation("app:add");
  await before.database.durable();
  const between = await startRuntime(store, { appFolder: without });
  expect(await between.failure("query", "app:count")).toContain('Child component "a" not found');
  const after = await startRuntime(store, { appFolder: withComponent });
  await after.mutation("app:add");
  expect(await after.query("app:count")).toBe(2);
});

describe("refused is", () => {
  const component = (config: string, more: Record<string, string> = {}) => ({
    "convex.config.ts": APP,
    "a/convex.config.ts": define(config),
    ...more,
  });

  test.each<[string, Record<string, string>, string]>([
    [
      "a component that uses itself",
      component(
        'import a from "./convex.config"; const c = defineComponent("a"); c.use(a); export default c;',
      ),
      "Found cyclic definition dependency",
    ],
    [
      "a circle of components",
      component(
        'import b from "../b/convex.config"; const c = defineComponent("a"); c.use(b); export default c;',
        {
          "b/convex.config.ts": define(
            'import a from "../a/convex.config"; const c = defineComponent("b"); c.use(a); export default c;',
          ),
        },
      ),
      "Found cyclic definition dependency",
    ],
    [
      "a component without a definition",
      component("export default {};"),
      "Please make sure that it exports the return value of `defineComponent()`",
    ],
    [
      "an app in the place of a component",
      component("export default defineApp();"),
      "Please make sure that it exports the return value of `defineComponent()`",
    ],
    [
      "two components of one name",
      {
        ...component('export default defineComponent("a");'),
        "convex.config.ts": APP.replace("app.use(a);", "app.use(a); app.use(a);"),
      },
      "multiple child components with the same name: a",
    ],
    [
      "a name that can't be one",
      component('export default defineComponent("a/b");'),
      "A component can't have this name",
    ],
    [
      "a variable that is required and not given",
      component('export default defineComponent("a", { env: { KEY: v.string() } });'),
      'Component "a" is missing required env var "KEY"',
    ],
    [
      "a variable that is given and not declared",
      {
        ...component('export default defineComponent("a");'),
        "convex.config.ts": APP.replace("app.use(a)", 'app.use(a, { env: { KEY: "x" } })'),
      },
      'Component "a" has no env var named "KEY"',
    ],
    [
      "a value that a variable may not have",
      {
        ...component('export default defineComponent("a", { env: { KEY: v.literal("y") } });'),
        "convex.config.ts": APP.replace("app.use(a)", 'app.use(a, { env: { KEY: "x" } })'),
      },
      'Component "a" has an invalid value for env var "KEY"',
    ],
    [
      "a variable of the app's own that is not set",
      { "convex.config.ts": define("export default defineApp({ env: { KEY: v.string() } });") },
      "Environment variable KEY is used in convex.config but its value was not set",
    ],
    [
      "a variable that is no text",
      component('export default defineComponent("a", { env: { KEY: v.number() } });'),
      "Env var `KEY` has a non-string validator",
    ],
    [
      "code for Node in a component",
      component('export default defineComponent("a");', { "a/node.ts": '"use node";\nexport const x = 1;' }),
      '"use node" directive is not supported in components',
    ],
    [
      "a module that throws",
      component('export default defineComponent("a");', {
        "a/lib.ts": 'export {}; throw new Error("at load");',
      }),
      "Failed to load lib.js of component a: Uncaught Error: at load",
    ],
    ["a component that is not there", { "convex.config.ts": APP }, 'Could not resolve "./a/convex.config"'],
  ])("%s", async (_what, files, message) => {
    await expect(load(files)).rejects.toThrow(message);
  });
});

test("a variable reaches a component through those between", async () => {
  const leaf = `import { queryGeneric } from "convex/server";
    export const key = queryGeneric({ handler: () => process.env.KEY ?? null });`;
  const files = {
    "convex.config.ts": define(
      'import a from "./a/convex.config"; const app = defineApp({ env: { KEY: v.optional(v.string()) } }); app.use(a, { env: { OUTER: app.env.KEY } }); export default app;',
    ),
    "app.ts": `import { queryGeneric, componentsGeneric } from "convex/server"; const { a } = componentsGeneric();
      export const key = queryGeneric({ handler: (ctx) => ctx.runQuery(a.lib.key, {}) });`,
    "a/convex.config.ts": define(
      'import b from "../b/convex.config"; const c = defineComponent("a", { env: { OUTER: v.optional(v.string()) } }); c.use(b, { env: { KEY: c.env.OUTER } }); export default c;',
    ),
    "a/lib.ts": `import { queryGeneric, componentsGeneric } from "convex/server"; const { b } = componentsGeneric();
      export const key = queryGeneric({ handler: (ctx) => ctx.runQuery(b.lib.key, {}) });`,
    "b/convex.config.ts": define(
      'export default defineComponent("b", { env: { KEY: v.optional(v.string()) } });',
    ),
    "b/lib.ts": leaf,
  };
  expect(await (await load(files, { KEY: "secret" })).query("app:key")).toBe("secret");
  expect(await (await load(files)).query("app:key")).toBeNull();
});
