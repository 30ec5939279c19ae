import { createHash, createHmac, randomFillSync, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { types } from "node:util";
import { createContext, Script, type Context } from "node:vm";
import type { DefinitionBundle, ModuleTable } from "./bundle";
import type { StoredDocument } from "../transaction/documentCache";
import type { SerializedQuery } from "../transaction/query";
import type { Json, JsonObject } from "../values/json";
import type { RegisteredFunction } from "./loadedApp";
import type { LogLevel } from "./logLines";
import { compileScript } from "./script";
import { watchReads, type OnVariableRead } from "./variableReads";

/** What a realm asks of the call that runs in it. A syscall is given JSON text, and gives such text or says what went wrong. */
export type RealmHost = {
  syscall(operation: string, args: string): string | SyscallProblem;
  readonly database: RealmDatabase;
  log(level: LogLevel, args: readonly unknown[]): void;
  /** The call looks at the clock, or at chance. */
  chance(): void;
};

/**
 * What `directDatabase.js` asks for: operations of the database without JSON text around what is no document. Documents are given as
 * they are stored, and taken as JSON. Each may say what went wrong instead.
 */
export type RealmDatabase = {
  /** `null`: there is no such document. */
  get(table: string | undefined, id: string): StoredDocument | null | SyscallProblem;
  /** All documents of a query. */
  rows(query: SerializedQuery): readonly StoredDocument[] | SyscallProblem;
  /** Gives the id. */
  insert(table: string, value: Json): string | SyscallProblem;
  patch(table: string | undefined, id: string, patch: JsonObject): null | SyscallProblem;
  replace(table: string | undefined, id: string, value: Json): null | SyscallProblem;
  remove(table: string | undefined, id: string): null | SyscallProblem;
  normalizeId(table: string, text: string): string | null | SyscallProblem;
  /** Who calls, as JSON text. */
  identity(): string | SyscallProblem;
};

/** `data`: the JSON of a `ConvexError`'s data. */
export type SyscallProblem = { readonly message: string; readonly data?: unknown };

/** How a call ended. `stuck`: it waits for a promise that nothing will ever settle. */
export type RealmResult =
  | { readonly state: "returned"; readonly value: Returned }
  | { readonly state: "threw"; readonly value: unknown }
  | { readonly state: "stuck" };

/** What a function has returned: JSON text, and where it is known, what that text says. It belongs to the realm. */
export type Returned = { readonly text: string; readonly json?: Json };

type ByteSource = ArrayBuffer | ArrayBufferView;

/** What the host's side gives to `bootstrap.js`, once for all calls of a realm. */
export type BootstrapHost = {
  readonly syscall: RealmHost["syscall"];
  /** That of the call that runs. */
  readonly database: () => RealmDatabase;
  readonly log: RealmHost["log"];
  readonly chance: RealmHost["chance"];
  /** Four random integers, for all that is random in one call. */
  readonly seed: () => Uint32Array;
  readonly digest: (algorithm: string, data: ByteSource) => ArrayBuffer;
  readonly hmac: (hash: string, key: Uint8Array, data: ByteSource) => ArrayBuffer;
  /** Takes as long wherever they differ. */
  readonly isSame: (one: ByteSource, other: ByteSource) => boolean;
  readonly copyBytes: (data: ByteSource) => Uint8Array;
  /** What is the same in every realm. */
  readonly globals: Readonly<Record<string, unknown>>;
  /** The same, loaded when it is first used. */
  readonly lateGlobals: { readonly names: readonly string[]; readonly load: (name: string) => unknown };
  readonly environment: Readonly<Record<string, string>>;
  readonly watchVariables: ((environment: Record<string, string>) => Record<string, string>) | undefined;
  readonly directDatabase: (
    database: () => RealmDatabase,
    toError: (problem: SyscallProblem) => Error,
  ) => DirectDatabase;
};

/** What `directDatabase.js` gives. */
export type DirectDatabase = {
  /** Takes parts of the app's convex package. */
  readonly adopt: (parts: object) => void;
  /** Calls a query or mutation. `null` when that can't be done this way. */
  readonly call: (registered: RegisteredFunction, args: Json) => Promise<Returned> | null;
};

export type Slot =
  | { readonly state: "running" }
  | { readonly state: "returned"; readonly value: Returned }
  | { readonly state: "threw"; readonly value: unknown };

/** What `bootstrap.js` gives. */
export type Bootstrapped = {
  begin(nowMs: number): void;
  /** Starts a function. Its promise is settled when the realm's microtasks have run; the slot then says how. */
  start(registered: RegisteredFunction, args: Json): Slot;
};

const BOOTSTRAP = realmScript("bootstrap.js");
const DIRECT_DATABASE = realmScript("directDatabase.js");

/** A file beside this one that runs in every realm. */
function realmScript(filename: string): Script {
  return new Script(readFileSync(new URL(`./${filename}`, import.meta.url), "utf8"), { filename });
}

/**
 * Declared once more beside the global object, where all code of a realm finds them first, also what the app compiles itself: to
 * look something up in the global object of a vm context takes many times as long.
 */
const FAST_GLOBALS = [
  ..."Object Array String Number Boolean BigInt Symbol Function Promise Map Set WeakMap WeakSet Proxy Reflect".split(
    " ",
  ),
  ..."JSON Math Date RegExp Error TypeError RangeError SyntaxError isNaN isFinite parseInt parseFloat".split(
    " ",
  ),
  ..."ArrayBuffer DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array".split(" "),
  ..."Float32Array Float64Array BigInt64Array BigUint64Array Uint8ClampedArray TextEncoder TextDecoder".split(
    " ",
  ),
  ..."URL URLSearchParams Convex console process crypto fetch setTimeout".split(" "),
];

/** Built from the host's classes: they hold no state, and what they make is made of the realm's own buffers. */
const SHARED_GLOBALS = [
  ..."ArrayBuffer DataView Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array".split(" "),
  ..."Float32Array Float64Array BigInt64Array BigUint64Array Uint8ClampedArray TextEncoder TextDecoder".split(
    " ",
  ),
  ..."URL URLSearchParams Blob AbortController AbortSignal".split(" "),
  ..."Event EventTarget DOMException atob btoa structuredClone".split(" "),
  ..."ReadableStream WritableStream TransformStream".split(" "),
];

/** The same, but Node takes longer to load them than a realm takes to be made, and few functions use them. */
const LATE_GLOBALS = {
  names: "Headers Request Response FormData".split(" "),
  load: (name: string) => (globalThis as Record<string, unknown>)[name],
};

/** A definition's script, compiled once for all realms. */
export function compileBundle(bundle: DefinitionBundle): Script {
  return compileScript(bundle, "queries", bundle.code);
}

/**
 * A world of its own for queries and mutations: own globals, own module instances, own microtask queue. A call runs
 * from its first to its last line before {@link run} returns, as all that a query or mutation can wait for is there at
 * once. So there is one call at a time in a realm, and nested calls run in the next realm.
 */
export class Realm {
  readonly #context: Context;
  /** Says what {@link CALL} calls. */
  readonly #setCall: (call: () => unknown) => void;
  readonly #app: Bootstrapped;
  readonly #modules: ModuleTable;
  readonly #loaded = new Map<string, Record<string, unknown>>();
  #host: RealmHost | null = null;

  /** `onVariableRead` is called when the app reads an environment variable. */
  constructor(
    script: Script,
    environment: Readonly<Record<string, string>>,
    onVariableRead?: OnVariableRead,
  ) {
    this.#context = createContext({}, { microtaskMode: "afterEvaluate" });
    this.#setCall = DECLARE_CALL.runInContext(this.#context) as (call: () => unknown) => void;
    const globals: Record<string, unknown> = {};
    for (const name of SHARED_GLOBALS) globals[name] = (globalThis as Record<string, unknown>)[name];
    const bootstrap = BOOTSTRAP.runInContext(this.#context) as (host: BootstrapHost) => Bootstrapped;
    this.#app = bootstrap({
      syscall: (operation, args) => this.#current().syscall(operation, args),
      database: () => this.#current().database,
      log: (level, args) => this.#host?.log(level, args),
      chance: () => this.#host?.chance(),
      seed: newSeed,
      digest,
      hmac,
      isSame,
      copyBytes,
      globals,
      lateGlobals: LATE_GLOBALS,
      environment,
      watchVariables: onVariableRead && ((all) => watchReads(all, onVariableRead)),
      directDatabase: DIRECT_DATABASE.runInContext(this.#context) as BootstrapHost["directDatabase"],
    });
    DECLARE_FAST_GLOBALS.runInContext(this.#context);
    const factory = script.runInContext(this.#context) as (...args: unknown[]) => void;
    const module = { exports: {} as { modules: ModuleTable } };
    this.#inside(() => factory(module, module.exports));
    this.#modules = module.exports.modules;
  }

  /** Evaluates a module, once, and gives its exports. Throws what the module throws. `host`: whom the module may ask. */
  load(path: string, host: RealmHost | null = null): Record<string, unknown> {
    const loaded = this.#loaded.get(path);
    if (loaded) return loaded;
    const evaluate = this.#modules[path];
    if (!evaluate) throw new Error(`The bundle has no module ${path}`);
    this.#host = host;
    try {
      const exports = this.#inside(evaluate) as Record<string, unknown>;
      this.#loaded.set(path, exports);
      return exports;
    } finally {
      this.#host = null;
    }
  }

  /** Calls a query or mutation and runs it to its end. `nowMs` is what the clock shows all the while. */
  run(registered: RegisteredFunction, args: Json, nowMs: number, host: RealmHost): RealmResult {
    const outer = this.#host;
    this.#host = host;
    this.#app.begin(nowMs);
    const slot = this.#inside(() => this.#app.start(registered, args)) as Slot;
    this.#host = outer;
    return slot.state === "running" ? { state: "stuck" } : slot;
  }

  /** Calls from within the context, so that the realm's microtasks are run before this returns. */
  #inside(call: () => unknown): unknown {
    this.#setCall(call);
    return CALL.runInContext(this.#context);
  }

  #current(): RealmHost {
    return this.#host ?? NOBODY;
  }
}

const refuse = () => ({ message: "The database can't be used while modules are loaded" });

/** Of what is no call. */
export const NO_DATABASE: RealmDatabase = {
  get: refuse,
  rows: refuse,
  insert: refuse,
  patch: refuse,
  replace: refuse,
  remove: refuse,
  normalizeId: refuse,
  identity: refuse,
};

/** In the place of a call, while there is none. */
const NOBODY: RealmHost = {
  syscall: refuse,
  database: NO_DATABASE,
  log: () => undefined,
  chance: () => undefined,
};

// No property of the global object: to find one takes many times as long, and a script that runs anew finds it anew.
const DECLARE_CALL = new Script("let runtimeCall; ((call) => { runtimeCall = call; })", { filename: "call" });
const CALL = new Script("runtimeCall()", { filename: "call" });
const DECLARE_FAST_GLOBALS = new Script(
  `let ${FAST_GLOBALS.map((name) => `${name} = globalThis.${name}`).join(", ")};`,
  { filename: "globals" },
);

const SEED_LENGTH = 4;
const seeds = new Uint32Array(SEED_LENGTH * 256);
let nextSeed = seeds.length;

/** See {@link BootstrapHost}. They are taken from the operating system for many calls at once, which costs it far less. */
function newSeed(): Uint32Array {
  if (nextSeed === seeds.length) {
    randomFillSync(seeds);
    nextSeed = 0;
  }
  nextSeed += SEED_LENGTH;
  return seeds.subarray(nextSeed - SEED_LENGTH, nextSeed);
}

// What is determined by its arguments functions may have: digests and signatures, at once.

function digest(algorithm: string, data: unknown): ArrayBuffer {
  return copyBytes(createHash(nodeName(algorithm)).update(bytesOf(data)).digest()).buffer;
}

function hmac(hash: string, key: Uint8Array, data: unknown): ArrayBuffer {
  return copyBytes(createHmac(nodeName(hash), key).update(bytesOf(data)).digest()).buffer;
}

/** What Node calls an algorithm such as SHA-256. */
function nodeName(algorithm: string): string {
  return algorithm.toLowerCase().replace("-", "");
}

function isSame(one: unknown, other: unknown): boolean {
  const [a, b] = [bytesOf(one), bytesOf(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function copyBytes(data: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytesOf(data));
}

function bytesOf(data: unknown): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data);
  throw new TypeError("Expected an ArrayBuffer, or a view of one");
}
