import type { StoredDocument } from "../transaction/documentCache";
import { readRows, type SerializedQuery } from "../transaction/query";
import { normalizeId } from "../values/ids";
import type { Json, JsonObject } from "../values/json";
import type { RealmDatabase, SyscallProblem } from "./realm";
import { identityText, requireObject, requireWrite, type CallFrame } from "./syscalls";

/** The database as `directDatabase.js` asks for it, for one call. */
export class FrameDatabase implements RealmDatabase {
  /** @param problemOf what the call gets to know of an error */
  constructor(
    private readonly frame: CallFrame,
    private readonly problemOf: (error: unknown) => SyscallProblem,
  ) {}

  // This one, `normalizeId` and `identity` count as the function's own time: all that a transaction may do of it takes less than its
  // clock.

  get(table: string | undefined, id: string): StoredDocument | null | SyscallProblem {
    try {
      return this.frame.transaction.get(id, { operation: "db.get", table, system: false }) ?? null;
    } catch (error) {
      return this.problemOf(error);
    }
  }

  normalizeId(table: string, text: string): string | null | SyscallProblem {
    try {
      const found = this.frame.transaction.table(table);
      return found ? normalizeId(found.number, text) : null;
    } catch (error) {
      return this.problemOf(error);
    }
  }

  identity(): string | SyscallProblem {
    try {
      return identityText(this.frame);
    } catch (error) {
      return this.problemOf(error);
    }
  }

  rows(query: SerializedQuery): readonly StoredDocument[] | SyscallProblem {
    return this.#attempt(() => readRows(this.frame.transaction, query));
  }

  insert(table: string, value: Json): string | SyscallProblem {
    return this.#attempt(() => {
      requireWrite(this.frame, "insert");
      return this.frame.transaction.insert(table, requireObject(value, "db.insert"));
    });
  }

  patch(table: string | undefined, id: string, patch: JsonObject): null | SyscallProblem {
    return this.#attempt(() => {
      requireWrite(this.frame, "patch");
      this.frame.transaction.patch(id, patch, { operation: "db.patch", table, system: false });
      return null;
    });
  }

  replace(table: string | undefined, id: string, value: Json): null | SyscallProblem {
    return this.#attempt(() => {
      requireWrite(this.frame, "replace");
      const document = requireObject(value, "db.replace");
      this.frame.transaction.replace(id, document, { operation: "db.replace", table, system: false });
      return null;
    });
  }

  remove(table: string | undefined, id: string): null | SyscallProblem {
    return this.#attempt(() => {
      requireWrite(this.frame, "delete");
      this.frame.transaction.remove(id, { operation: "db.delete", table, system: false });
      return null;
    });
  }

  #attempt<T>(operation: () => T): T | SyscallProblem {
    try {
      return timed(this.frame, operation);
    } catch (error) {
      return this.problemOf(error);
    }
  }
}

/** Does an operation, whose time is not that of the function's own code. */
export function timed<T>({ transaction: { usage } }: CallFrame, operation: () => T): T {
  const startedAt = performance.now();
  try {
    return operation();
  } finally {
    usage.operationsMs += performance.now() - startedAt;
  }
}
