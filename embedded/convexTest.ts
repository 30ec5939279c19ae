/**
 * The runtime for tests of functions, with the interface of the npm package convex-test: a suite that was written for it runs
 * on this runtime when its imports of "convex-test" are directed here.
 */
import { createHash } from "node:crypto";
// Not the global one: a test that sets the clock must not stop the runtime.
import { setTimeout as setRealTimeout } from "node:timers";
import {
  actionGeneric,
  getFunctionAddress,
  mutationGeneric,
  queryGeneric,
  type FunctionReference,
  type GenericDataModel,
  type GenericMutationCtx,
  type GenericSchema,
  type SchemaDefinition,
  type StorageActionWriter,
  type UserIdentity,
} from "convex/server";
import { convexToJson, type Value } from "convex/values";
import type { TestConvex, TestConvexForDataModel } from "convex-test";
import type { FunctionAddress } from "./functions/addresses";
import type { FunctionKind, RegisteredFunction } from "./functions/loadedApp";
import { ANONYMOUS, type Caller } from "./functions/caller";
import { TestBackend } from "./testBackend";
import { LIMITS, type Limits } from "./transaction/limits";
import type { Json } from "./values/json";

export type {
  TestConvex,
  TestConvexForDataModel,
  TestConvexForDataModelAndIdentity,
  TestConvexRoot,
} from "convex-test";

/** Modules as `import.meta.glob("./**\/*.*s")` gives them in the folder of the app. */
export type Modules = Readonly<Record<string, () => Promise<unknown>>>;

export type ConvexTestOptions<Schema extends GenericSchema> = {
  readonly schema?: SchemaDefinition<Schema, boolean>;
  /** By default those of the folder `convex` in the root of the project that is tested. */
  readonly modules?: Modules;
  /** What a transaction may do, where that is not what it may do on Convex. The limits hold in any case. */
  readonly transactionLimits?: Partial<Limits> | boolean;
};

/**
 * A backend of its own, empty and in memory, for one test. See the types of convex-test for what can be done with it.
 * Functions run as on the server, with these differences: they run in the test's own realm, whose globals they see, so that a
 * test can stub them; nobody ends a function that takes too long; and crons do not run.
 */
export function convexTest<Schema extends GenericSchema>(
  schema?: SchemaDefinition<Schema, boolean>,
  modules?: Modules,
): TestConvex<SchemaDefinition<Schema, boolean>>;
export function convexTest<Schema extends GenericSchema>(
  options: ConvexTestOptions<Schema>,
): TestConvex<SchemaDefinition<Schema, boolean>>;
export function convexTest<Schema extends GenericSchema>(
  schemaOrOptions?: SchemaDefinition<Schema, boolean> | ConvexTestOptions<Schema>,
  givenModules?: Modules,
): TestConvex<SchemaDefinition<Schema, boolean>> {
  const isOptions = schemaOrOptions !== undefined && !("tables" in schemaOrOptions);
  const options = isOptions ? schemaOrOptions : { schema: schemaOrOptions, modules: givenModules };
  const { schema, modules = import.meta.glob("/convex/**/*.*s") } = options;
  const limits = isOptions ? schemaOrOptions.transactionLimits : undefined;
  const started = TestBackend.start({
    modules: modulesByPath(modules),
    schema: schema ? exportSchema(schema) : null,
    limits: typeof limits === "object" ? { ...LIMITS, ...limits } : LIMITS,
  });
  // Whoever calls a function hears of it.
  started.catch(() => undefined);
  let ready = started;
  return {
    ...accessor(() => ready, ANONYMOUS),
    registerComponent: (path: string, componentSchema: typeof schema, componentModules: Modules) => {
      const code = {
        modules: modulesByPath(componentModules),
        schema: componentSchema ? exportSchema(componentSchema) : null,
      };
      ready = ready.then(async (backend) => {
        await backend.addComponent(path, code);
        return backend;
      });
      ready.catch(() => undefined);
    },
  } as unknown as TestConvex<SchemaDefinition<Schema, boolean>>;
}

type Inline = (ctx: never) => Promise<unknown>;

/** What a test calls, in the name of somebody. */
function accessor(
  started: () => Promise<TestBackend>,
  caller: Caller,
): TestConvexForDataModel<GenericDataModel> {
  const call =
    (kind: FunctionKind, register: (definition: { handler: Inline }) => unknown) =>
    async (target: Inline | FunctionReference<FunctionKind>, args: Record<string, Value> = {}) => {
      const backend = await started();
      if (typeof target === "function") {
        return backend.callInline(kind, register({ handler: target }), caller);
      }
      return backend.call(
        kind,
        getFunctionAddress(target) as FunctionAddress,
        convexToJson(args) as Json,
        caller,
      );
    };
  const methods = {
    query: call("query", queryGeneric as never),
    mutation: call("mutation", mutationGeneric as never),
    action: call("action", actionGeneric as never),

    run: async (work: (ctx: GenericMutationCtx<GenericDataModel>) => Promise<Value>) => {
      const backend = await started();
      const storage = await storageOfActions();
      const mutation = mutationGeneric({ handler: (ctx) => work({ ...ctx, storage }) });
      return backend.callInline("mutation", mutation, caller);
    },

    fetch: async (path: string, init?: RequestInit) => (await started()).fetch(path, init, caller),

    finishInProgressScheduledFunctions: async () => {
      const { scheduler } = await started();
      while (scheduler.isRunning) await scheduler.settled();
    },

    finishAllScheduledFunctions: async (advanceTimers: () => void, maxIterations = 100) =>
      finishAll(await started(), advanceTimers, maxIterations),

    withIdentity: (identity: Partial<UserIdentity>) =>
      accessor(started, { kind: "user", identity: completeIdentity(identity) }),

    withRequestMetadata: () => {
      throw new Error("Request metadata are not available in this runtime yet.");
    },
  };
  return methods as unknown as TestConvexForDataModel<GenericDataModel>;
}

/** A mutation's `ctx.storage` can't store or read files, but that of actions can: it goes by the call that runs. */
async function storageOfActions(): Promise<StorageActionWriter> {
  return new Promise((resolve, reject) => {
    const action = actionGeneric({ handler: (ctx) => resolve(ctx.storage) }) as RegisteredFunction;
    action.invokeAction?.("", "[{}]").catch(reject);
  });
}

/** A user who is not named gets a subject made of whatever is said of them. */
function completeIdentity(identity: Partial<UserIdentity>): Json {
  const { subject = digest(JSON.stringify(identity)), issuer = "https://convex.test" } = identity;
  const tokenIdentifier = identity.tokenIdentifier ?? `${issuer}|${subject}`;
  return { ...identity, subject, issuer, tokenIdentifier } as Json;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** What was scheduled before the clock was set waits for the real one: for how many turns of the event loop that is given time. */
const MAX_IDLE_TURNS = 20;

async function finishAll(
  { scheduler }: TestBackend,
  advanceTimers: () => void,
  maxIterations: number,
): Promise<void> {
  let idleTurns = 0;
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    advanceTimers();
    if (scheduler.isRunning) {
      idleTurns = 0;
      // Actions may wait for timers.
      let isSettled = false;
      const settled = scheduler.settled().finally(() => (isSettled = true));
      while (!isSettled) {
        advanceTimers();
        await nextTurn();
      }
      await settled;
    } else if (scheduler.isWaiting && idleTurns < MAX_IDLE_TURNS) {
      idleTurns++;
      await nextTurn();
    } else {
      return;
    }
  }
  throw new Error(
    `After ${maxIterations} iterations there are more scheduled functions to run. Check for infinitely recursive scheduled functions, or give a greater number as the second argument.`,
  );
}

/** Lets real timers fire that are due. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setRealTimeout(resolve, 0));
}

/** The modules by their paths in the app, such as "messages.js". The folder of the app is the one that holds `_generated`. */
function modulesByPath(modules: Modules): ReadonlyMap<string, () => Promise<Record<string, unknown>>> {
  const files = Object.keys(modules);
  const root = files.find((file) => file.includes("_generated"))?.split("_generated", 1)[0];
  if (root === undefined) {
    throw new Error(
      "No module lies in a folder _generated: the pattern given to import.meta.glob must match its files too, and `npx convex codegen` makes them",
    );
  }
  const inApp = files.filter((file) => file.startsWith(root));
  return new Map(
    inApp.map((file) => [
      `${file.slice(root.length).replace(/\.[^.]+$/, "")}.js`,
      modules[file] as () => Promise<Record<string, unknown>>,
    ]),
  );
}

function exportSchema(schema: SchemaDefinition<GenericSchema, boolean>): string {
  return (schema as unknown as { export(): string }).export();
}
