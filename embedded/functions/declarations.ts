/**
 * What the modules of an app declare, found by evaluating all of them. It is JSON, so that it can be kept with the app's bundle: a
 * start that has it evaluates a module only when one of its functions is called.
 */
import type { ValidatorJSON } from "convex/values";
import { MAX_ARRAY_LENGTH, MAX_NESTING } from "../values/json";
import type { Exported } from "./definitions";
import type {
  ComponentPath,
  FunctionInfo,
  FunctionKind,
  LoadedComponent,
  RegisteredFunction,
} from "./loadedApp";
import { compileValidator, type TableNames } from "./validate";
import { checkValidator } from "./validation/check";
import type { Evaluated } from "./variableReads";

export type AppDeclarations = {
  /** What `export()` of convex.config gave, by the paths of the definitions. */
  readonly definitions: Readonly<Record<string, Evaluated<Exported>>>;
  readonly components: Readonly<Record<ComponentPath, Evaluated<ComponentDeclarations>>>;
  /** The default export of auth.config, as JSON text; `null` when there is none. */
  readonly authConfig: Evaluated<string | null>;
};

export type ComponentDeclarations = {
  readonly functions: readonly FunctionDeclaration[];
  /** What `export()` of the schema gave; `null` without one. */
  readonly schema: string | null;
  /** What `export()` of the crons gave; `null` without any. */
  readonly crons: string | null;
};

/** `args`, `returns`: validators as JSON text. */
export type FunctionDeclaration = {
  readonly module: string;
  readonly exportName: string;
  readonly kind: FunctionKind;
  readonly isPublic: boolean;
  readonly args: string;
  readonly returns: string | null;
};

const ANY = '{"type":"any"}';

/** A text that is no longer holds no values that are nested too deeply, which take two brackets a level, and nothing else too large. */
const SHORT_CHARS = 2 * MAX_NESTING;
/** Where a validator says of objects what they are, that leaves arrays: one that is too long has as many elements and commas. */
const SHORT_CHARS_OF_KNOWN_OBJECTS = 2 * MAX_ARRAY_LENGTH;

/** What an export of a module declares, or `null` when it is no registered function. */
export function declarationOf(
  module: string,
  exportName: string,
  value: unknown,
): FunctionDeclaration | null {
  if (typeof value !== "function") return null;
  const registered = value as RegisteredFunction;
  const kind = kindOf(registered);
  if (kind === null) return null;
  return {
    module,
    exportName,
    kind,
    isPublic: registered.isPublic === true,
    args: registered.exportArgs?.() ?? ANY,
    returns: registered.exportReturns?.() ?? null,
  };
}

function kindOf({ isQuery, isMutation, isAction }: RegisteredFunction): FunctionKind | null {
  if (isQuery) return "query";
  if (isMutation) return "mutation";
  return isAction ? "action" : null;
}

/**
 * The function that was declared. Its validators are parsed and compiled when they are first needed.
 *
 * @param tables may come and go afterwards
 */
export function declaredFunction(
  component: LoadedComponent,
  { module, exportName, kind, isPublic, args, returns }: FunctionDeclaration,
  tables: TableNames,
): FunctionInfo {
  const parsedArgs = lazily(() => JSON.parse(args) as ValidatorJSON);
  const parsedReturns = lazily(() =>
    returns === null ? null : (JSON.parse(returns) as ValidatorJSON | null),
  );
  const checkArgs = lazily(() => compileValidator(parsedArgs(), tables));
  const legalReturnChars = lazily(() =>
    parsedReturns() === null || /"type":"(any|record)"/.test(returns ?? ANY)
      ? SHORT_CHARS
      : SHORT_CHARS_OF_KNOWN_OBJECTS,
  );
  const checkReturns = lazily(() => compileValidator(parsedReturns() ?? { type: "any" }, tables));
  return {
    component,
    path: `${module.slice(0, -".js".length)}:${exportName}`,
    module,
    exportName,
    kind,
    isPublic,
    get args() {
      return parsedArgs();
    },
    get returns() {
      return parsedReturns();
    },
    checkArgs: (value) => checkArgs()(value),
    checkReturns: (value) => checkReturns()(value),
    get legalReturnChars() {
      return legalReturnChars();
    },
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Throws when a validator of a function that was declared is none. */
export function checkValidators({ args, returns }: FunctionDeclaration): void {
  for (const validator of [args, returns]) {
    const parsed = JSON.parse(validator ?? "null") as ValidatorJSON | null;
    if (parsed) checkValidator(parsed);
  }
}
