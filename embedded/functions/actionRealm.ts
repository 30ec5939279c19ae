import { AsyncLocalStorage } from "node:async_hooks";
import { createRequire } from "node:module";
import {
  HTTP_MODULE,
  type AppBundle,
  type DefinitionBundle,
  type ModuleTable,
  type ScriptName,
} from "./bundle";
import type { LogLines, LogLevel } from "./logLines";
import { compileScript } from "./script";
import { watchReads, type OnVariableRead } from "./variableReads";

/** What an action's calls into the runtime need to know of the action. */
export interface ActionFrame {
  readonly logs: LogLines;
}

/** What the realm of actions asks of the runtime. */
export type ActionHost = {
  /** Runs an operation of an action and gives its JSON. An error's `data`, if any, is the JSON of a ConvexError's data. */
  syscall(frame: ActionFrame, operation: string, args: string): Promise<string>;
  /** The same for operations whose arguments and results are no JSON. */
  jsSyscall(frame: ActionFrame, operation: string, args: Record<string, unknown>): Promise<unknown>;
};

/** What `httpRouter()` makes, as far as the runtime calls it. */
export type HttpRouter = {
  isRouter: true;
  getRoutes(): (readonly [path: string, method: string, handler: HttpHandler])[];
  lookup(path: string, method: string): [handler: HttpHandler, method: string, path: string] | null;
};
export type HttpHandler = { invokeHttpAction(request: Request): Promise<unknown> };

/**
 * Where the actions and HTTP actions of the app or of one component run: in the process's own realm, with its `fetch`, timers
 * and web classes, but with a `process` that holds its environment and nothing else, and a `console` that logs to the call.
 */
export class ActionRealm {
  readonly #frames = new AsyncLocalStorage<ActionFrame>();
  readonly #modules: ModuleTable;
  readonly #nodeModules: ModuleTable;

  constructor(
    private readonly bundle: DefinitionBundle & Partial<Pick<AppBundle, "node">>,
    environment: Readonly<Record<string, string>>,
    private readonly host: ActionHost,
    /** Called when the app reads an environment variable. */
    onVariableRead?: OnVariableRead,
  ) {
    const env = () => (onVariableRead ? watchReads({ ...environment }, onVariableRead) : { ...environment });
    this.#modules = this.#evaluate("actions", bundle.code, { env: env() });
    const node = bundle.node;
    // Modules for Node have all of `process`, but the same environment as the others.
    const nodeProcess: unknown = Object.create(process, { env: { value: env(), enumerable: true } });
    this.#nodeModules = node ? this.#evaluate("node", node.code, nodeProcess) : {};
  }

  /** Evaluates a module, once, and gives its exports. */
  load(path: string): Record<string, unknown> {
    const evaluate = this.#nodeModules[path] ?? this.#modules[path];
    if (!evaluate) throw new Error(`The bundle has no module ${path}`);
    return evaluate();
  }

  /** The HTTP router, or `null` when there is no http.ts. */
  router(): HttpRouter | null {
    if (!(HTTP_MODULE in this.#modules)) return null;
    const router = this.load(HTTP_MODULE)["default"] as HttpRouter | undefined;
    if (router?.isRouter !== true)
      throw new Error("http.ts must export an httpRouter() as its default export");
    return router;
  }

  /** Runs `call` so that whatever it does, however late, is done in the name of `frame`. */
  run<T>(frame: ActionFrame, call: () => Promise<T>): Promise<T> {
    return this.#frames.run(frame, call);
  }

  #evaluate(name: ScriptName, code: string, processObject: unknown): ModuleTable {
    const globals: Record<string, unknown> = {
      process: processObject,
      console: this.#console(),
      Convex: this.#convex(),
      require: createRequire(import.meta.url),
      ...guardedTimers(),
      fetch: fetchDecoded,
    };
    const script = compileScript(this.bundle, name, code, Object.keys(globals));
    const factory = script.runInThisContext() as (...args: unknown[]) => void;
    const module = { exports: {} as { modules: ModuleTable } };
    factory(module, module.exports, ...Object.values(globals));
    return module.exports.modules;
  }

  #frame(): ActionFrame {
    const frame = this.#frames.getStore();
    if (!frame) throw new Error("Convex functions can't be called while modules are loaded");
    return frame;
  }

  #convex(): unknown {
    return {
      syscall: (operation: string) => {
        throw new Error(`Unknown operation ${operation} in an action`);
      },
      asyncSyscall: async (operation: string, args: string) =>
        this.host.syscall(this.#frame(), operation, args),
      jsSyscall: async (operation: string, args: Record<string, unknown>) =>
        this.host.jsSyscall(this.#frame(), operation, args),
    };
  }

  #console(): unknown {
    const log =
      (level: LogLevel) =>
      (...args: unknown[]) =>
        this.#frames.getStore()?.logs.add(level, args);
    return {
      ...console,
      log: log("LOG"),
      debug: log("DEBUG"),
      info: log("INFO"),
      warn: log("WARN"),
      error: log("ERROR"),
      trace: log("LOG"),
    };
  }
}

const TIMERS = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask"] as const;

/** What their functions throw rejects a promise: an exception that nobody catches would end the server. */
function guardedTimers(): Record<string, unknown> {
  const guarded = (work: unknown) =>
    typeof work === "function" ? async (...args: unknown[]) => work(...args) as unknown : work;
  return Object.fromEntries(
    TIMERS.map((name) => {
      const timer = (work: unknown, ...rest: unknown[]) =>
        (globalThis[name] as (...args: unknown[]) => unknown)(guarded(work), ...rest);
      return [name, Object.assign(timer, globalThis[name])];
    }),
  );
}

/** What Node's `fetch` decodes; of a body with any other encoding it decodes nothing. */
const DECODED = /^\s*(?:x-gzip|gzip|deflate|br)\s*$/i;

/** `fetch`, but that a response whose body it has decoded does not say any more how that came: it may be passed on. */
async function fetchDecoded(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  const encodings = response.headers.get("content-encoding")?.split(",") ?? [];
  const isDecoded = encodings.length > 0 && encodings.every((encoding) => DECODED.test(encoding));
  return isDecoded && method.toUpperCase() !== "HEAD" ? withoutEncoding(response) : response;
}

function withoutEncoding(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  const clone = () => withoutEncoding(Response.prototype.clone.call(response));
  return Object.defineProperties(response, { headers: { value: headers }, clone: { value: clone } });
}
