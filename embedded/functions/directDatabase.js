// @ts-check
/*
 * Runs inside the realm of queries and mutations: `ctx.db` without JSON text on the way to the runtime, but for the documents
 * that are read. The convex package makes a text of all that it asks the runtime for, which costs several times what most
 * operations do.
 *
 * It stands on the app's own convex package, which the loader has hand over parts of itself (see loader/convexPackage.ts). What is
 * not plain (an argument that is missing, a value that JSON has no word for, a search) the package does itself, so that an app
 * meets the package's own errors, classes and conversions.
 *
 * This file is read as text and evaluated by realm.ts, like bootstrap.js. Its value is a function of the realm's side.
 */

/**
 * @typedef {any} Value of the app's own, or a part of the package for which it gives no type: what it is, is looked at where it matters
 * @typedef {Record<string, Value>} Fields
 * @typedef {(...args: Value[]) => Value} Method
 * @typedef {{ source: Fields, operators: Fields[] }} SerializedQuery
 * @typedef {"order" | "filter" | "limit" | "collect" | "take" | "paginate" | "next" | "return" | "first" | "unique"} QueryMethod
 * @typedef {"withIndex" | "withSearchIndex" | "count"} TableMethod
 * @typedef {Record<QueryMethod | typeof Symbol.asyncIterator, Method> & { state: { type: string, query?: SerializedQuery } }} OriginalQuery
 * @typedef {object} Package parts of the convex package
 * @property {(handler: Method, args: string, visibility: string) => Promise<string>} invokeQuery
 * @property {(handler: Method, args: string, visibility: string) => Promise<string>} invokeMutation
 * @property {(handler: Method, ctx: Fields, args: unknown[]) => Promise<unknown>} invokeFunction what these two call, once they have made a context
 * @property {new (query: SerializedQuery) => OriginalQuery} QueryImpl
 * @property {new (tableName: string) => Record<TableMethod, Method>} QueryInitializerImpl
 * @property {(value: unknown) => unknown} convexToJson
 * @property {(json: unknown) => Value} jsonToConvex
 * @property {(value: unknown) => void} validateReturnValue
 * @typedef {{ _handler?: Method, isPublic?: boolean, isMutation?: boolean }} WithHandler
 */

// oxlint-disable-next-line no-unused-expressions -- this function is the script's value
(function directDatabase(
  /** @type {() => import("./realm").RealmDatabase} the database of the call that runs */
  database,
  /** @type {(problem: import("./realm").SyscallProblem) => Error} */
  toError,
) {
  "use strict";
  // Looked up here once: a look at a global of a vm context costs more than most of what is done with it.
  const { Array, Error, Function, JSON, Map, Number, Object, Promise, Set, Symbol } = globalThis;
  // These see what copies are made of, which an app that replaces them must not.
  const { keys } = Object;
  const { parse, stringify } = JSON;

  /** @type {Package | null} */
  let adopted = null;

  /** The app's package. Nothing below runs before it is there. */
  function convex() {
    return /** @type {Package} */ (adopted);
  }

  // Values.

  /** What {@link plainJson} gives for a value that it leaves to the package. */
  const NOT_PLAIN = Symbol("not plain");
  /** Values that are nested more deeply are refused in any case. */
  const MAX_DEPTH = 64;
  /** Field names that were found to be legal, so many at most. */
  const MAX_KNOWN_NAMES = 10_000;
  const knownNames = new Set();

  /** @param {string} name */
  function isLegalName(name) {
    if (knownNames.has(name)) return true;
    if (!/^(?!\$)[\x20-\x7e]{0,1024}$/.test(name) || name === "__proto__") return false;
    if (knownNames.size < MAX_KNOWN_NAMES) knownNames.add(name);
    return true;
  }

  /** The JSON encoding of a value, as the package gives it: with the fields in order and without undefined ones. @param {unknown} value */
  function toJson(value) {
    const json = plainJson(value, 0);
    return json === NOT_PLAIN ? convex().convexToJson(value) : json;
  }

  /** @param {Value} value @param {number} depth @returns {Value} */
  function plainJson(value, depth) {
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) && !Object.is(value, -0) ? value : NOT_PLAIN;
      case "object":
        break;
      default:
        return NOT_PLAIN;
    }
    if (value === null) return null;
    if (depth > MAX_DEPTH) return NOT_PLAIN;
    if (Array.isArray(value)) return plainArray(value, depth);
    const prototype = Object.getPrototypeOf(value);
    return prototype === Object.prototype || prototype === null ? plainObject(value, depth) : NOT_PLAIN;
  }

  /** @param {unknown[]} value @param {number} depth */
  function plainArray(value, depth) {
    const out = [];
    for (let i = 0; i < value.length; i++) {
      const element = plainJson(value[i], depth + 1);
      if (element === NOT_PLAIN) return NOT_PLAIN;
      out.push(element);
    }
    return out;
  }

  /** @param {Fields} value @param {number} depth */
  function plainObject(value, depth) {
    const names = keys(value);
    const json = encoderOf(names)?.(value, depth + 1);
    return json === undefined ? plainFields(value, names, depth) : json;
  }

  /**
   * Objects whose fields have the same names in the same order. `encode`: what makes JSON of them, once it is known that there are many;
   * `undefined` when one of their fields is.
   *
   * @typedef {{ longer: Map<string, Shape>, times: number, encode: ((value: Fields, depth: number) => unknown) | null }} Shape by the name that
   *   comes next, the shapes with one more
   */

  /** @returns {Shape} */
  const newShape = () => ({ longer: new Map(), times: 0, encode: null });
  let noNames = newShape();
  let shapes = 0;
  /** So many at most; then it begins anew, as names may be whatever a client sends. */
  const MAX_SHAPES = 1000;
  /** To make an encoder takes as long as some hundred objects take without one. */
  const ENCODER_AFTER = 200;

  /** What makes JSON of objects with these names in less than half of the time, if there is something. @param {string[]} names */
  function encoderOf(names) {
    if (names.length > FEW_NAMES) return null;
    if (shapes > MAX_SHAPES) {
      noNames = newShape();
      shapes = 0;
    }
    let shape = noNames;
    for (let i = 0; i < names.length; i++) {
      const name = /** @type {string} */ (names[i]);
      let longer = shape.longer.get(name);
      if (longer === undefined) {
        shape.longer.set(name, (longer = newShape()));
        shapes++;
      }
      shape = longer;
    }
    if (shape.encode === null && ++shape.times === ENCODER_AFTER) shape.encode = makeEncoder(names);
    return shape.encode;
  }

  /** @param {string[]} names */
  function makeEncoder(names) {
    let body = "";
    let fields = "";
    const inOrder = sorted(names);
    for (let i = 0; i < inOrder.length; i++) {
      const name = /** @type {string} */ (inOrder[i]);
      if (!isLegalName(name)) return null;
      const literal = stringify(name);
      body += `const value${i} = object[${literal}]; if (value${i} === undefined) return undefined;
        const json${i} = typeof value${i} === "string" ? value${i} : plainJson(value${i}, depth);
        if (json${i} === NOT_PLAIN) return NOT_PLAIN;\n`;
      fields += `${literal}: json${i},`;
    }
    // oxlint-disable-next-line typescript/no-implied-eval -- it is made of the names of fields alone, each a string literal
    const make = new Function(
      "plainJson",
      "NOT_PLAIN",
      `return (object, depth) => { ${body} return {${fields}}; }`,
    );
    return /** @type {(value: Fields, depth: number) => unknown} */ (make(plainJson, NOT_PLAIN));
  }

  /** @param {Fields} value @param {string[]} names of its fields @param {number} depth */
  function plainFields(value, names, depth) {
    /** @type {Fields} */
    const out = {};
    for (const name of sorted(names)) {
      const field = value[name];
      if (field === undefined) continue;
      const json = plainJson(field, depth + 1);
      if (json === NOT_PLAIN || !isLegalName(name)) return NOT_PLAIN;
      out[name] = json;
    }
    return out;
  }

  /** So many names are sorted in less time than it takes to call what sorts more. */
  const FEW_NAMES = 32;

  /** @param {string[]} names */
  function sorted(names) {
    for (let i = 1; i < names.length; i++) {
      const name = /** @type {string} */ (names[i]);
      if (/** @type {string} */ (names[i - 1]) <= name) continue;
      if (names.length > FEW_NAMES) return names.sort();
      let at = i;
      for (; at > 0 && /** @type {string} */ (names[at - 1]) > name; at--)
        names[at] = /** @type {string} */ (names[at - 1]);
      names[at] = name;
    }
    return names;
  }

  /** A patch also says which fields are to go. @param {Value} value */
  function patchJson(value) {
    const json = plainJson(value, 0);
    if (json === NOT_PLAIN || typeof json !== "object" || json === null || Array.isArray(json))
      return NOT_PLAIN;
    for (const name of Object.keys(value)) {
      if (value[name] !== undefined) continue;
      if (!isLegalName(name)) return NOT_PLAIN;
      json[name] = { $undefined: null };
    }
    return json;
  }

  // Documents.

  /** @typedef {import("../transaction/documentCache").StoredDocument} StoredDocument */
  /** A longer one is read anew each time. */
  const MAX_TEMPLATE_CHARS = 4096;
  /**
   * Of the texts of all templates, as many as the cache of documents can hold: half of its capacity, in which each text counts twice, the
   * second time for its template (see documentCache.ts). Those that are out of date count until their slots are used again.
   */
  const MAX_ALL_TEMPLATES_CHARS = 36 << 20;

  // What copies are made of, by the slots of the documents, and not in an object for each: the garbage collector's long collections look
  // at every one. The arrays have no prototype that an app could give setters.

  /** The documents of which something is kept. @type {(StoredDocument | undefined)[]} */
  const keptOf = Object.setPrototypeOf([], null);
  /** Those that were read more than once. @type {(Fields | null)[]} */
  const templates = Object.setPrototypeOf([], null);
  /** What copies these. @type {(((document: Fields) => Fields) | null)[]} */
  const templateCopiers = Object.setPrototypeOf([], null);
  let templatesChars = 0;

  /** A document of its own for whoever asks: copies are quicker made than read. @param {StoredDocument} stored @returns {Fields} */
  function documentOf(stored) {
    const { slot, text } = stored;
    if (slot < 0 || text.length > MAX_TEMPLATE_CHARS) return valueOf(text);
    if (keptOf[slot] !== stored) {
      keep(stored);
      return valueOf(text);
    }
    const copy = templateCopiers[slot] ?? learn(stored);
    return copy === null ? valueOf(text) : copy(/** @type {Fields} */ (templates[slot]));
  }

  // Both may be cut off: what says that something is there comes last.

  /** @param {StoredDocument} stored */
  function keep(stored) {
    const { slot, text } = stored;
    templatesChars += text.length - (keptOf[slot]?.text.length ?? 0);
    if (templatesChars > MAX_ALL_TEMPLATES_CHARS) {
      keptOf.length = templates.length = templateCopiers.length = 0;
      templatesChars = text.length;
    }
    templateCopiers[slot] = null;
    templates[slot] = null;
    keptOf[slot] = stored;
  }

  /** @param {StoredDocument} stored */
  function learn({ slot, text }) {
    // Only encodings have a dollar there; a text that has one does no harm.
    if (text.includes('"$')) return null;
    const template = parse(text);
    templates[slot] = template;
    // Those of one table are mostly alike, and to see that takes less time than to find a copier by its source.
    if (!isAlike(template, lastLearnt.template)) lastLearnt = { template, copy: copierOf(template) };
    return (templateCopiers[slot] = lastLearnt.copy);
  }

  /** For which template a copier was looked for last: in one, as it may be cut off. @type {{ template: Fields, copy: (document: Fields) => Fields }} */
  let lastLearnt = { template: {}, copy: copyOf };

  /** Whether objects have fields of the same names in the same order, and objects and arrays in the same places. @param {Fields} one @param {Fields} other @returns {boolean} */
  function isAlike(one, other) {
    const names = keys(one);
    const otherNames = keys(other);
    if (names.length !== otherNames.length) return false;
    for (let i = 0; i < names.length; i++) {
      const name = /** @type {string} */ (names[i]);
      if (name !== otherNames[i]) return false;
      const value = one[name];
      const otherValue = other[name];
      if (isNested(value) !== isNested(otherValue)) return false;
      if (!isNested(value)) continue;
      if (Array.isArray(value) !== Array.isArray(otherValue)) return false;
      if (!Array.isArray(value) && !isAlike(value, otherValue)) return false;
    }
    return true;
  }

  /** Functions that copy objects of one shape, so many at most, by their source. @type {Map<string, (document: Fields) => Fields>} */
  const copiers = new Map();
  const MAX_COPIERS = 1000;

  /** What copies a document. One that knows the names of the fields takes a tenth of the time. @param {Fields} document */
  function copierOf(document) {
    const source = copySource(document, "document");
    let copier = source === null ? copyOf : copiers.get(source);
    if (copier === undefined) {
      if (copiers.size >= MAX_COPIERS) return copyOf;
      // oxlint-disable-next-line typescript/no-implied-eval -- it is made of the names of fields alone, each a string literal
      const make = new Function("copyOf", `return (document) => (${source})`);
      copier = /** @type {(document: Fields) => Fields} */ (make(copyOf));
      copiers.set(/** @type {string} */ (source), copier);
    }
    return copier;
  }

  /** An expression that copies an object. `null`: it takes {@link copyOf}. @param {Fields} object @param {string} place an expression that gives it @returns {string | null} */
  function copySource(object, place) {
    let fields = "";
    for (const name of keys(object)) {
      // In a literal it would be the prototype.
      if (name === "__proto__") return null;
      const literal = stringify(name);
      const field = `${place}[${literal}]`;
      const value = object[name];
      if (!isNested(value)) fields += `${literal}:${field},`;
      else if (Array.isArray(value)) fields += `${literal}:copyOf(${field}),`;
      else fields += `${literal}:${copySource(value, field) ?? `copyOf(${field})`},`;
    }
    return `{${fields}}`;
  }

  /** @param {string} text */
  function valueOf(text) {
    const json = JSON.parse(text);
    return text.includes('"$') ? convex().jsonToConvex(json) : json;
  }

  /** @param {unknown} value */
  function isNested(value) {
    return typeof value === "object" && value !== null;
  }

  /** Of plain JSON. @param {Value} value @returns {Value} */
  function copyOf(value) {
    if (!isNested(value)) return value;
    if (Array.isArray(value)) {
      const elements = [];
      for (let i = 0; i < value.length; i++) elements.push(copyOf(value[i]));
      return elements;
    }
    /** @type {Fields} */
    const copy = { ...value };
    for (const name of keys(copy)) if (isNested(copy[name])) copy[name] = copyOf(copy[name]);
    return copy;
  }

  /** What the runtime gave, or throws what went wrong. @template T @param {T | import("./realm").SyscallProblem} result @returns {T} */
  function settled(result) {
    if (typeof result === "object" && result !== null && "message" in result) throw toError(result);
    return /** @type {T} */ (result);
  }

  /** What the name of an encoding's only field begins with. */
  const DOLLAR = 36;

  /** The value, of the realm's own objects, that JSON of the runtime's encodes. @param {Value} json @returns {Value} */
  function fromHost(json) {
    if (typeof json !== "object" || json === null) return json;
    if (Array.isArray(json)) {
      const out = [];
      for (let i = 0; i < json.length; i++) out.push(fromHost(json[i]));
      return out;
    }
    /** @type {Fields} */
    const out = {};
    for (const name in json) {
      if (name.charCodeAt(0) === DOLLAR) return convex().jsonToConvex(json);
      out[name] = fromHost(json[name]);
    }
    return out;
  }

  // Queries.

  const BUILDER_USED =
    "IndexRangeBuilder has already been used! Chain your method calls like `q => q.eq(...).eq(...)`. See https://docs.convex.dev/using/indexes";

  /** What `withIndex` gives to its callback: comparisons, of which each can be chained once. */
  class RangeBuilder {
    #expressions;
    #isUsed = false;
    /** @param {Fields[]} expressions */
    constructor(expressions) {
      this.#expressions = expressions;
    }
    /** @param {string} field @param {unknown} value */
    eq(field, value) {
      return this.#and("Eq", field, value);
    }
    /** @param {string} field @param {unknown} value */
    gt(field, value) {
      return this.#and("Gt", field, value);
    }
    /** @param {string} field @param {unknown} value */
    gte(field, value) {
      return this.#and("Gte", field, value);
    }
    /** @param {string} field @param {unknown} value */
    lt(field, value) {
      return this.#and("Lt", field, value);
    }
    /** @param {string} field @param {unknown} value */
    lte(field, value) {
      return this.#and("Lte", field, value);
    }
    export() {
      if (this.#isUsed) throw new Error(BUILDER_USED);
      this.#isUsed = true;
      return this.#expressions;
    }
    /** @param {string} type @param {string} fieldPath @param {unknown} value */
    #and(type, fieldPath, value) {
      const expressions = this.export();
      // Nobody else has this array any more.
      expressions.push({
        type,
        fieldPath,
        value: value === undefined ? { $undefined: null } : toJson(value),
      });
      return new RangeBuilder(expressions);
    }
  }

  /** A query whose rows come all at once. The rest the package's own query does. */
  class Query {
    #query;
    /** In the package's words: closed when it was chained, consumed when its rows were read. */
    #state = "preparing";
    /** @type {OriginalQuery | null} */
    #iterated = null;
    /** @param {SerializedQuery} query */
    constructor(query) {
      this.#query = query;
    }

    /** @param {"asc" | "desc"} order */
    order(order) {
      const { source, operators } = this.#query;
      if (this.#state !== "preparing" || source["order"] !== null) return this.original().order(order);
      if (order === undefined) return this.original().order(order);
      this.#state = "closed";
      return new Query({ source: { ...source, order }, operators });
    }
    /** @param {unknown} predicate */
    filter(predicate) {
      const { state } = this.original().filter(predicate);
      this.#state = "closed";
      return new Query(/** @type {SerializedQuery} */ (state.query));
    }
    /** @param {number} n */
    limit(n) {
      if (this.#state !== "preparing" || n === undefined) return this.original().limit(n);
      this.#state = "closed";
      return new Query(limited(this.#query, n));
    }

    collect() {
      return this.#rows(this.#query) ?? this.original().collect();
    }
    /** @param {number} n @returns {Promise<Value[]>} */
    take(n) {
      const rows = Number.isInteger(n) && n >= 0 ? this.#rows(limited(this.#query, n)) : null;
      return rows ?? this.original().take(n);
    }
    first() {
      if (this.#state !== "preparing") return this.original().first();
      return promised(() => this.#read(limited(this.#query, 1))[0] ?? null);
    }
    unique() {
      if (this.#state !== "preparing") return this.original().unique();
      return promised(() => {
        const [first = null, second] = this.#read(limited(this.#query, 2));
        if (second === undefined) return first;
        const ids = `[${first._id}, ${second._id}, ...]`;
        throw new Error(
          `unique() query returned more than one result from table ${tableOf(this.#query)}:\n ${ids}`,
        );
      });
    }

    /** @param {Fields} options */
    paginate(options) {
      const original = this.original();
      this.#state = "closed";
      return original.paginate(options);
    }
    next() {
      return this.#iteration().next();
    }
    return() {
      return this.#iteration().return();
    }
    [Symbol.asyncIterator]() {
      return this.#iteration()[Symbol.asyncIterator]();
    }

    /** The package's query in the place of this one, in the state in which this one is. */
    original() {
      const query = new (convex().QueryImpl)(this.#query);
      if (this.#state !== "preparing") query.state = { type: this.#state };
      return query;
    }

    #iteration() {
      this.#iterated ??= this.original();
      this.#state = "consumed";
      return this.#iterated;
    }

    /** `null`: it was used before, of which the package tells. @param {SerializedQuery} query */
    #rows(query) {
      return this.#state === "preparing" ? promised(() => this.#read(query)) : null;
    }

    /** @param {SerializedQuery} query @returns {Value[]} */
    #read(query) {
      this.#state = "consumed";
      const stored = settled(
        database().rows(/** @type {any} what this builds is what the package builds */ (query)),
      );
      const rows = [];
      for (let i = 0; i < stored.length; i++)
        rows.push(documentOf(/** @type {StoredDocument} */ (stored[i])));
      return rows;
    }
  }

  /** @param {SerializedQuery} query @param {number} limit */
  function limited({ source, operators }, limit) {
    return { source, operators: [...operators, { limit }] };
  }

  /** @param {SerializedQuery} query @returns {string} */
  function tableOf({ source: { tableName, indexName } }) {
    return tableName ?? indexName.split(".")[0];
  }

  /** The names of indexes, so many at most, by those of their tables and their own. @type {Map<string, Map<string, string>>} */
  const indexNames = new Map();
  const MAX_INDEX_NAMES = 1000;
  let indexNamesKnown = 0;

  /** The name with which the runtime knows an index: always the same text, as one that was just put together takes longer to look up. @param {string} table @param {string} index */
  function indexNameOf(table, index) {
    const known = indexNames.get(table);
    const name = known?.get(index);
    if (name !== undefined) return name;
    if (++indexNamesKnown > MAX_INDEX_NAMES) {
      indexNames.clear();
      indexNamesKnown = 1;
    }
    const made = `${table}.${index}`;
    const names = indexNames.get(table) ?? new Map();
    indexNames.set(table, names.set(index, made));
    return made;
  }

  /** What `ctx.db.query` gives: a query of the whole table, or of an index of it. */
  class TableQuery {
    #table;
    /** @param {string} table */
    constructor(table) {
      this.#table = table;
    }
    /** @param {string} index @param {(q: RangeBuilder) => RangeBuilder} [comparisons] */
    withIndex(index, comparisons) {
      if (typeof index !== "string") return this.original().withIndex(index, comparisons);
      const builder = new RangeBuilder([]);
      const range = (comparisons === undefined ? builder : comparisons(builder)).export();
      const source = { type: "IndexRange", indexName: indexNameOf(this.#table, index), range, order: null };
      return new Query({ source, operators: [] });
    }
    /** @param {unknown[]} args */
    withSearchIndex(...args) {
      return this.original().withSearchIndex(...args);
    }
    fullTableScan() {
      const source = { type: "FullTableScan", tableName: this.#table, order: null };
      return new Query({ source, operators: [] });
    }
    count() {
      return this.original().count();
    }
    /** @param {"asc" | "desc"} order */
    order(order) {
      return this.fullTableScan().order(order);
    }
    /** @param {unknown} predicate */
    filter(predicate) {
      return this.fullTableScan().filter(predicate);
    }
    /** @param {number} n */
    limit(n) {
      return this.fullTableScan().limit(n);
    }
    collect() {
      return this.fullTableScan().collect();
    }
    /** @param {number} n */
    take(n) {
      return this.fullTableScan().take(n);
    }
    first() {
      return this.fullTableScan().first();
    }
    unique() {
      return this.fullTableScan().unique();
    }
    /** @param {Fields} options */
    paginate(options) {
      return this.fullTableScan().paginate(options);
    }
    [Symbol.asyncIterator]() {
      return this.fullTableScan()[Symbol.asyncIterator]();
    }
    original() {
      return new (convex().QueryInitializerImpl)(this.#table);
    }
  }

  // Readers and writers.

  /** @param {unknown} table @returns {table is string} */
  function isUserTable(table) {
    return typeof table === "string" && !table.startsWith("_");
  }

  /** Of the arguments of `db.get` and its like, the first of which may be left out, the table and the id. @param {unknown} first @param {unknown} second */
  function tableAndId(first, second) {
    const [table, id] = second === undefined ? [undefined, first] : [first, second];
    const isPlain = typeof id === "string" && (table === undefined || typeof table === "string");
    return isPlain ? { table, id } : null;
  }

  /** Like the package's methods it gives a promise, also of what goes wrong. @template T @param {() => T} work */
  function promised(work) {
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Gives what reads another way. The object stays the same: to copy one and add to it takes V8 far longer. @param {Record<string, Method>} original the package's own `ctx.db`, which is made for each call */
  function reader(original) {
    const { get, query, normalizeId } = /** @type {Record<"get" | "query" | "normalizeId", Method>} */ (
      original
    );
    return Object.assign(original, {
      /** @param {unknown} first @param {unknown} second */
      get: (first, second) => {
        const where = tableAndId(first, second);
        if (where === null) return get(first, second);
        try {
          const found = database().get(where.table, where.id);
          if (found !== null && "message" in found) throw toError(found);
          return Promise.resolve(found === null ? null : documentOf(found));
        } catch (error) {
          return Promise.reject(error);
        }
      },
      /** @param {unknown} table */
      query: (table) => (isUserTable(table) ? new TableQuery(table) : query(table)),
      /** @param {unknown} table @param {unknown} idString */
      normalizeId: (table, idString) => {
        if (!isUserTable(table) || typeof idString !== "string") return normalizeId(table, idString);
        return settled(database().normalizeId(table, idString));
      },
    });
  }

  /** Like {@link reader}. @param {Record<string, Method>} original */
  function writer(original) {
    const {
      insert,
      patch,
      replace,
      delete: remove,
    } = /** @type {Record<"insert" | "patch" | "replace" | "delete", Method>} */ (original);
    return Object.assign(reader(original), {
      /** @param {unknown} table @param {unknown} value */
      insert: (table, value) => {
        const json = value === undefined ? NOT_PLAIN : plainJson(value, 0);
        if (!isUserTable(table) || json === NOT_PLAIN) return insert(table, value);
        return promised(() => settled(database().insert(table, json)));
      },
      /** @param {[unknown, unknown, unknown?]} args */
      patch: (...args) => change("patch", patchJson, args) ?? patch(...args),
      /** @param {[unknown, unknown, unknown?]} args */
      replace: (...args) => change("replace", (value) => plainJson(value, 0), args) ?? replace(...args),
      /** @param {unknown} first @param {unknown} second */
      delete: (first, second) => {
        const where = tableAndId(first, second);
        if (where === null) return remove(first, second);
        return promised(() => void settled(database().remove(where.table, where.id)));
      },
    });
  }

  /** `null`: that is for the package. @param {"patch" | "replace"} operation @param {(value: unknown) => Value} jsonOf @param {[unknown, unknown, unknown?]} args */
  function change(operation, jsonOf, [first, second, third]) {
    const where = third === undefined ? tableAndId(first, undefined) : tableAndId(first, second);
    const value = third === undefined ? second : third;
    if (where === null || value === undefined) return null;
    const json = jsonOf(value);
    if (json === NOT_PLAIN) return null;
    return promised(() => void settled(database()[operation](where.table, where.id, json)));
  }

  // Contexts.

  /** Instead of what asks for the identity by JSON text. */
  const getUserIdentity = () => promised(() => parse(settled(database().identity())));

  /** What makes contexts, by the kind of function. The package's own code for it takes longer than most calls have to read. @type {Map<string, () => Fields>} */
  const contextMakers = new Map();

  /** Of a context that the package has made, one that asks the runtime without JSON text. @param {Fields} ctx @param {boolean} isMutation */
  function adapted(ctx, isMutation) {
    ctx.db = isMutation ? writer(ctx.db) : reader(ctx.db);
    if (typeof ctx.auth?.getUserIdentity === "function") ctx.auth.getUserIdentity = getUserIdentity;
    return ctx;
  }

  /** What makes contexts like this one, each of new objects with the same functions; `null`: it has something unusual. @param {Fields} ctx */
  function contextMaker(ctx) {
    const source = contextSource(ctx, "context");
    if (source === null) return null;
    // oxlint-disable-next-line typescript/no-implied-eval -- it is made of the names of fields alone, each a string literal
    const copy = /** @type {(ctx: Fields) => Fields} */ (new Function("context", `return (${source})`));
    // The one at hand is for an app, which may change it.
    const template = copy(ctx);
    return () => copy(template);
  }

  /** An expression that copies an object and the plain objects in it. @param {Fields} object @param {string} place an expression that gives it @returns {string | null} */
  function contextSource(object, place) {
    let fields = "";
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
      // A property with a getter, or what in a literal would be the prototype.
      if (!("value" in property) || name === "__proto__") return null;
      const { value } = property;
      const literal = stringify(name);
      const field = `${place}[${literal}]`;
      const isPlain = isNested(value) && Object.getPrototypeOf(value) === Object.prototype;
      const copied = isPlain ? contextSource(value, field) : field;
      if (copied === null) return null;
      fields += `${literal}:${copied},`;
    }
    return `{${fields}}`;
  }

  /** @type {import("./realm").DirectDatabase} */
  const directDatabase = {
    // Of a version with other parts nothing is taken.
    adopt(given) {
      const parts = /** @type {Package} */ (given);
      const { invokeQuery, invokeMutation, invokeFunction, QueryImpl, QueryInitializerImpl } = parts;
      const { convexToJson, jsonToConvex, validateReturnValue } = parts;
      const calls = [invokeQuery, invokeMutation, invokeFunction];
      const methods = [...calls, convexToJson, jsonToConvex, validateReturnValue];
      const all = [...methods, QueryImpl, QueryInitializerImpl];
      if (all.every((part) => typeof part === "function")) adopted = parts;
    },

    call(/** @type {WithHandler} */ registered, args) {
      const handler = registered._handler;
      if (adopted === null || typeof handler !== "function") return null;
      const { invokeQuery, invokeMutation, invokeFunction, validateReturnValue } = adopted;
      const isMutation = registered.isMutation === true;
      const visibility = registered.isPublic === true ? "public" : "internal";
      const kind = isMutation ? `${visibility} mutation` : `${visibility} query`;
      /** @type {Value} */
      let json = null;
      /** @param {Fields} ctx */
      const handle = async (ctx) => {
        const result = await handler(ctx, fromHost(args));
        const isQuery = result instanceof Query || result instanceof TableQuery;
        validateReturnValue(isQuery ? result.original() : result);
        json = toJson(result === undefined ? null : result);
        return null;
      };
      /** @param {Fields} ctx */
      const handleFirst = (ctx) => {
        const own = adapted(ctx, isMutation);
        const maker = contextMaker(own);
        if (maker !== null) contextMakers.set(kind, maker);
        return handle(own);
      };
      const makeContext = contextMakers.get(kind);
      const invoke = isMutation ? invokeMutation : invokeQuery;
      const called = makeContext
        ? invokeFunction(handle, makeContext(), [])
        : invoke(handleFirst, "[{}]", visibility);
      return called.then(() => ({ json, text: JSON.stringify(json) }));
    },
  };
  return directDatabase;
});
