// @ts-check
/*
 * Runs inside the realm of queries and mutations, before the app's modules: it makes this realm's globals what they
 * are in Convex. Clock and randomness belong to the execution, so that a function is determined by what it reads;
 * what reaches outside of the transaction is refused.
 *
 * This file is read as text and evaluated by realm.ts. It is plain JavaScript because a compiler's helpers would not
 * be there. Its value is a function of the host's side.
 */

/**
 * @typedef {import("./realm").BootstrapHost} Host
 * @typedef {import("./realm").Bootstrapped} Bootstrapped
 * @typedef {import("./realm").Slot} Slot
 * @typedef {import("./realm").Returned} Returned
 * @typedef {import("./realm").SyscallProblem} SyscallProblem
 * @typedef {import("./loadedApp").RegisteredFunction} RegisteredFunction
 * @typedef {import("./logLines").LogLevel} LogLevel
 * @typedef {typeof Response} BodyClass or `typeof Request`, of which no more is used here
 */

// oxlint-disable-next-line no-unused-expressions -- this function is the script's value
(function bootstrap(/** @type {Host} */ host) {
  "use strict";
  // Looked up here once: a look at a global of a vm context costs more than most of what is done with it.
  const { Array, Error, JSON, Math, Object, Promise, Reflect, String } = globalThis;
  const scope = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
  const RealDate = Date;
  /** `random`: as soon as the execution has asked for it. @type {{ nowMs: number, random: (() => number) | null }} */
  const execution = { nowMs: RealDate.now(), random: seededRandom([1, 2, 3, 4]) };

  Object.assign(scope, host.globals);
  for (const name of host.lateGlobals.names) {
    const define = (/** @type {unknown} */ value) =>
      Object.defineProperty(scope, name, { value, writable: true, enumerable: true, configurable: true });
    const get = () => {
      const loaded = host.lateGlobals.load(name);
      const hasBody = name === "Request" || name === "Response";
      const value = hasBody ? bodyClass(name, /** @type {BodyClass} */ (loaded)) : loaded;
      define(value);
      return value;
    };
    Object.defineProperty(scope, name, { get, set: define, enumerable: true, configurable: true });
  }

  scope.Blob = blobClass(/** @type {typeof Blob} */ (host.globals.Blob));
  scope.ReadableStream = streamClass(/** @type {new () => ReadableStream} */ (host.globals.ReadableStream));

  /** @param {string} what @returns {() => never} */
  const refuse = (what) => () => {
    throw new Error(
      `Can't use ${what} in queries and mutations. Please consider using an action. See https://docs.convex.dev/functions/actions for more details.`,
    );
  };

  const now = () => {
    host.chance();
    return execution.nowMs;
  };
  /** @param {unknown[]} args */
  function ExecutionDate(...args) {
    if (new.target === undefined) return new RealDate(now()).toString();
    return Reflect.construct(RealDate, args.length === 0 ? [now()] : args, new.target);
  }
  Object.setPrototypeOf(ExecutionDate, RealDate);
  ExecutionDate.prototype = RealDate.prototype;
  ExecutionDate.now = now;
  Object.defineProperty(ExecutionDate, "name", { value: "Date" });
  Object.defineProperty(ExecutionDate, "length", { value: 7 });
  RealDate.prototype.constructor = /** @type {DateConstructor} */ (/** @type {unknown} */ (ExecutionDate));
  scope.Date = ExecutionDate;
  Math.random = () => {
    host.chance();
    execution.random ??= seededRandom(host.seed());
    return execution.random();
  };
  scope.performance = { now: () => 0, timeOrigin: 0 };

  for (const name of ["setTimeout", "setInterval", "setImmediate"]) scope[name] = refuse(name);
  for (const name of ["clearTimeout", "clearInterval", "clearImmediate"]) scope[name] = () => undefined;
  scope.fetch = refuse("fetch()");
  scope.queueMicrotask = /** @param {() => void} job */ (job) => void Promise.resolve().then(job);
  scope.crypto = {
    getRandomValues: refuse("cryptographic randomness"),
    randomUUID: refuse("cryptographic randomness"),
    subtle: subtleCrypto(/** @type {typeof DOMException} */ (host.globals.DOMException)),
  };
  const env = { ...host.environment };
  scope.process = { env: host.watchVariables ? host.watchVariables(env) : env };
  /** @type {Record<string, (...args: unknown[]) => void>} */
  const realmConsole = {};
  /** @type {Record<string, LogLevel>} */
  const levels = { log: "LOG", debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR", trace: "LOG" };
  for (const [method, level] of Object.entries(levels)) {
    realmConsole[method] = (...args) => host.log(level, args);
  }
  for (const method of [
    "time",
    "timeEnd",
    "timeLog",
    "group",
    "groupEnd",
    "table",
    "dir",
    "assert",
    "count",
  ]) {
    realmConsole[method] = () => undefined;
  }
  scope.console = realmConsole;

  /** @param {SyscallProblem} problem */
  function toError(problem) {
    const error = new Error(problem.message);
    if (problem.data !== undefined) Object.assign(error, { data: problem.data });
    return error;
  }
  const database = host.directDatabase(host.database, toError);
  scope.Convex = {
    /** @param {string} op @param {string} args */
    syscall(op, args) {
      const result = host.syscall(op, args);
      if (typeof result === "string") return result;
      throw toError(result);
    },
    // Every operation of a transaction is done at once: the promise is settled when it is made.
    /** @param {string} op @param {string} args */
    asyncSyscall(op, args) {
      const result = host.syscall(op, args);
      return typeof result === "string" ? Promise.resolve(result) : Promise.reject(toError(result));
    },
    /** @param {string} op */
    jsSyscall(op) {
      throw new Error(`${op} can only be used in actions`);
    },
    // Called by the app's own convex package when it is loaded.
    adopt: database.adopt,
  };

  /**
   * Calls a registered function the way the convex package does.
   * @param {RegisteredFunction} registered @param {unknown} args @returns {Promise<Returned>}
   */
  async function callByText(registered, args) {
    const invoke = registered.invokeMutation ?? registered.invokeQuery;
    if (!invoke) throw new Error("This is no query or mutation");
    return { text: await invoke(JSON.stringify([args])) };
  }

  /**
   * Blobs whose content is there at once: that of the host's comes from another thread, for which nothing waits here.
   * @param {typeof Blob} HostBlob
   */
  function blobClass(HostBlob) {
    return class Blob extends HostBlob {
      /** @type {Uint8Array<ArrayBuffer>} */
      #bytes;
      /** @param {Iterable<BlobPart>} parts @param {BlobPropertyBag} options */
      constructor(parts = [], options = {}) {
        const all = Array.from(
          parts,
          /** @returns {Uint8Array<ArrayBufferLike>} */ (part) => {
            if (part instanceof Blob) return part.#bytes;
            if (ArrayBuffer.isView(part))
              return new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
            if (part instanceof ArrayBuffer) return new Uint8Array(part);
            if (part instanceof HostBlob) throw new TypeError("Only actions can read this Blob");
            return new TextEncoder().encode(String(part));
          },
        );
        const bytes = new Uint8Array(all.reduce((length, part) => length + part.length, 0));
        let end = 0;
        for (const part of all) {
          bytes.set(part, end);
          end += part.length;
        }
        super([bytes], options);
        this.#bytes = bytes;
      }
      /** @override */
      async arrayBuffer() {
        return this.#bytes.slice().buffer;
      }
      /** @override */
      async bytes() {
        return this.#bytes.slice();
      }
      /** @override */
      async text() {
        return new TextDecoder().decode(this.#bytes);
      }
      /** @override */
      stream() {
        return ownStream(super.stream());
      }
      /** @override @param {number} [start] @param {number} [end] @param {string} [type] */
      slice(start, end, type = "") {
        return new Blob([this.#bytes.slice(start, end)], { type });
      }
    };
  }

  /** Of what comes only when the event loop turns, for which nothing waits here. @param {string} what @returns {() => never} */
  function refuseReading(what) {
    return () => {
      throw new Error(
        `Can't read ${what} in queries and mutations of this runtime. Please consider using an action.`,
      );
    };
  }

  /** Streams that can be made and passed on, but not read. @param {new () => ReadableStream} HostStream */
  function streamClass(HostStream) {
    class ReadableStream extends HostStream {}
    const refused = refuseReading("a ReadableStream");
    for (const method of ["getReader", "tee", "pipeTo", "pipeThrough", "values", Symbol.asyncIterator])
      Object.defineProperty(ReadableStream.prototype, method, { value: refused });
    return ReadableStream;
  }

  /** Makes a stream of the host's one of this realm. @template {ReadableStream | null} T @param {T} stream @returns {T} */
  function ownStream(stream) {
    const { prototype } = /** @type {typeof ReadableStream} */ (scope.ReadableStream);
    return stream === null ? stream : Object.setPrototypeOf(stream, prototype);
  }

  /** Requests or responses of which all can be asked but their bodies. @param {string} name @param {BodyClass} HostClass */
  function bodyClass(name, HostClass) {
    const own = { [name]: class extends HostClass {} }[name] ?? HostClass;
    const refused = refuseReading(`the body of a ${name}`);
    for (const method of ["text", "json", "arrayBuffer", "bytes", "blob", "formData"])
      Object.defineProperty(own.prototype, method, { value: async () => refused() });
    Object.defineProperty(own.prototype, "body", {
      /** @this {Response} */
      get() {
        return ownStream(Reflect.get(HostClass.prototype, "body", this));
      },
    });
    /** @param {unknown} made */
    const adopted = (made) => Object.setPrototypeOf(made, own.prototype);
    /** @this {Response} */
    own.prototype.clone = function () {
      return adopted(HostClass.prototype.clone.call(this));
    };
    if (name === "Response") own.json = (...args) => adopted(HostClass.json(...args));
    return own;
  }

  /**
   * What of `crypto.subtle` is determined by its arguments and can be done at once: digests, and HMAC for signatures of webhooks.
   * @param {typeof DOMException} HostException
   */
  function subtleCrypto(HostException) {
    /** @type {WeakMap<object, { hash: string, bytes: Uint8Array }>} */
    const secrets = new WeakMap();
    const hashes = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
    /** @param {AlgorithmIdentifier} algorithm */
    const nameOf = (algorithm) =>
      String(typeof algorithm === "object" ? algorithm?.name : algorithm).toUpperCase();
    /** @param {string} what @returns {never} */
    const lack = (what) => {
      throw new Error(
        `crypto.subtle.${what} is not available in queries and mutations of this runtime. Please consider using an action.`,
      );
    };
    /** @param {"sign" | "verify"} use @param {AlgorithmIdentifier} algorithm @param {CryptoKey} key */
    const secretFor = (use, algorithm, key) => {
      const secret = secrets.get(key);
      if (nameOf(algorithm) !== "HMAC" || !secret) return lack(`${use}() with ${nameOf(algorithm)}`);
      if (key.usages.includes(use)) return secret;
      throw new HostException(`The key can't be used to ${use}`, "InvalidAccessError");
    };
    const lacking = ["encrypt", "decrypt", "deriveBits", "deriveKey", "exportKey", "wrapKey", "unwrapKey"];
    return {
      ...Object.fromEntries(lacking.map((name) => [name, async () => lack(`${name}()`)])),
      generateKey: async () => refuse("cryptographic randomness")(),
      /** @param {AlgorithmIdentifier} algorithm @param {BufferSource} data */
      digest: async (algorithm, data) => host.digest(nameOf(algorithm), data),
      /** @param {KeyFormat} format @param {BufferSource} data @param {HmacImportParams} algorithm @param {boolean} extractable @param {KeyUsage[]} usages */
      importKey: async (format, data, algorithm, extractable, usages) => {
        if (format !== "raw" || nameOf(algorithm) !== "HMAC")
          return lack(`importKey() of "${format}" for ${nameOf(algorithm)}`);
        const hash = nameOf(algorithm.hash);
        if (!hashes.includes(hash)) throw new HostException(`Unrecognized hash ${hash}`, "NotSupportedError");
        const bytes = host.copyBytes(data);
        if (bytes.length === 0) throw new HostException("A key has to have a length", "DataError");
        const key = Object.freeze({
          type: "secret",
          extractable: Boolean(extractable),
          algorithm: { name: "HMAC", hash: { name: hash }, length: bytes.length * 8 },
          usages: [...usages],
        });
        secrets.set(key, { hash, bytes });
        return key;
      },
      /** @param {AlgorithmIdentifier} algorithm @param {CryptoKey} key @param {BufferSource} data */
      sign: async (algorithm, key, data) => {
        const { hash, bytes } = secretFor("sign", algorithm, key);
        return host.hmac(hash, bytes, data);
      },
      /** @param {AlgorithmIdentifier} algorithm @param {CryptoKey} key @param {BufferSource} signature @param {BufferSource} data */
      verify: async (algorithm, key, signature, data) => {
        const { hash, bytes } = secretFor("verify", algorithm, key);
        return host.isSame(host.hmac(hash, bytes, data), signature);
      },
    };
  }

  /**
   * sfc32, a small generator that passes the usual tests of randomness.
   * @param {ArrayLike<number> & Iterable<number>} seed four 32-bit integers
   */
  function seededRandom(seed) {
    let [a = 0, b = 0, c = 0, d = 1] = seed;
    const next = () => {
      const sum = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + sum;
      return (sum >>> 0) / 4294967296;
    };
    for (let i = 0; i < 12; i++) next();
    return next;
  }

  /** @type {Bootstrapped} */
  const bootstrapped = {
    begin(nowMs) {
      execution.nowMs = nowMs;
      execution.random = null;
    },
    // The arguments may belong to the host's realm.
    start(registered, args) {
      /** @type {{ state: "running" | "returned" | "threw", value: unknown }} */
      const slot = { state: "running", value: undefined };
      const run = async () => {
        try {
          slot.value = await (database.call(registered, args) ?? callByText(registered, args));
          slot.state = "returned";
        } catch (thrown) {
          slot.value = thrown;
          slot.state = "threw";
        }
      };
      void run();
      return /** @type {Slot} */ (slot);
    },
  };
  return bootstrapped;
});
