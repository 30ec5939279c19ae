import { createHmac } from "node:crypto";
import { DeveloperError } from "../transaction/errors";
import { encodeId } from "../values/ids";
import type { LoadedComponent, ComponentPath, FunctionInfo } from "./loadedApp";

const PREFIX = "function://";
/** The number of a table that nobody has. */
const HANDLE_TABLE = 512;
const ID_BYTES = 16;

/**
 * Handles of functions, such as "function://<id>#dir/module:name": texts with which other components may call them. The id is
 * computed of the function's place, so it needs no storage and is the same after every restart and every change of the
 * app; nobody can guess it, and it finds nothing while the function is not there.
 */
export class FunctionHandles {
  #functions: ReadonlyMap<string, FunctionInfo> | null = null;

  constructor(
    private readonly components: ReadonlyMap<ComponentPath, LoadedComponent>,
    private readonly secret: Buffer,
  ) {}

  of({ component, path }: FunctionInfo): string {
    return `${PREFIX}${this.#idOf(component.path, path)}#${path}`;
  }

  /** The function that is meant: only the id counts. Throws {@link DeveloperError} when there is none. */
  find(handle: string): FunctionInfo {
    if (!handle.startsWith(PREFIX)) throw new DeveloperError("Invalid function handle");
    const [id = ""] = handle.slice(PREFIX.length).split("#", 1);
    this.#functions ??= new Map(
      [...this.components.values()].flatMap(({ path, functions }) =>
        [...functions.values()].map((info) => [this.#idOf(path, info.path), info] as const),
      ),
    );
    const found = this.#functions.get(id);
    if (!found) throw new DeveloperError("Function handle not found");
    return found;
  }

  #idOf(component: ComponentPath, path: string): string {
    const digest = createHmac("sha256", this.secret).update(`${component}\0${path}`).digest();
    return encodeId(HANDLE_TABLE, digest.toString("latin1", 0, ID_BYTES));
  }
}
