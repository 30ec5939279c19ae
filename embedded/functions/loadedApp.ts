/** An app as those see it who run its functions, wherever its code lies. */
import type { ValidatorJSON } from "convex/values";
import type { Namespace } from "../transaction/catalog";
import type { ActionRealm } from "./actionRealm";
import type { Failure } from "./failure";
import type { FunctionHandles } from "./functionHandles";
import type { FunctionPath } from "./paths";
import type { Schema } from "./schema";
import type { Validate } from "./validate";

export type FunctionKind = "query" | "mutation" | "action";

/** Where a component is in the tree of components: "" for the app itself, "a/b" for the b of the app's a. */
export type ComponentPath = Namespace;

/** A registered function. */
export type FunctionInfo = {
  readonly component: LoadedComponent;
  readonly path: FunctionPath;
  readonly module: string;
  readonly exportName: string;
  readonly kind: FunctionKind;
  readonly isPublic: boolean;
  readonly args: ValidatorJSON;
  readonly returns: ValidatorJSON | null;
  readonly checkArgs: Validate;
  readonly checkReturns: Validate;
  /** A result whose JSON text has no more characters than this is within the limits of a value, if it passes {@link checkReturns}. */
  readonly legalReturnChars: number;
};

/** What the convex package makes of a function. */
export type RegisteredFunction = {
  isQuery?: true;
  isMutation?: true;
  isAction?: true;
  isPublic?: true;
  exportArgs?: () => string;
  exportReturns?: () => string;
  invokeQuery?: (args: string) => Promise<string>;
  invokeMutation?: (args: string) => Promise<string>;
  invokeAction?: (requestId: string, args: string) => Promise<string>;
};

/** The app itself, or one component in it. */
export interface LoadedComponent {
  readonly path: ComponentPath;
  readonly isRoot: boolean;
  readonly functions: ReadonlyMap<FunctionPath, FunctionInfo>;
  readonly schema: Pick<Schema, "check" | "fields">;
  /** The components that it has in turn, by the names that it gives them. */
  readonly children: ReadonlyMap<string, LoadedComponent>;
  /** Which child gets the HTTP requests under a path, which ends in a slash. */
  readonly httpMounts: ReadonlyMap<string, LoadedComponent>;
  /** Where actions run. */
  readonly actions: Pick<ActionRealm, "run" | "router">;
  /** Whether it has this module, such as "messages.js". */
  hasModule(module: string): boolean;
  /** The registered action itself. */
  action(info: FunctionInfo): RegisteredFunction;
  /** Says of what a function threw how the call failed. */
  describe(thrown: unknown): Failure;
}

/** A tree of components, of which the app itself is the root. */
export interface LoadedApp {
  readonly root: LoadedComponent;
  /** All of them, the root too, parents before their children. */
  readonly components: ReadonlyMap<ComponentPath, LoadedComponent>;
  /** The path, which ends in a slash, under which the app's own HTTP routes are. */
  readonly httpPrefix: string | null;
  readonly handles: FunctionHandles;
}
