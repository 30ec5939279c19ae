import { readRows, type SerializedQuery } from "../transaction/query";
import { normalizeId } from "../values/ids";
import type { Json, JsonObject } from "../values/json";
import type { RealmDatabase, SyscallProblem } from "./realm";
import { requireObject, requireWrite, type CallFrame } from "./syscalls";

/** The database as `directDatabase.js` asks for it, for one call. */
export class FrameDatabase implements RealmDatabase {
  /** @param attempt does an operation and gives what it gives, or what went wrong with it */
  constructor(
    private readonly frame: CallFrame,
    private readonly attempt: <T>(operation: () => T) => T | SyscallProblem,
  ) {}

  get(table: string | undefined, id: string): string | null | SyscallProblem {
    return this.attempt(
      () => this.frame.transaction.get(id, { operation: "db.get", table, system: false }) ?? null,
    );
  }

  rows(query: SerializedQuery): readonly string[] | SyscallProblem {
    return this.attempt(() => readRows(this.frame.transaction, query));
  }

  insert(table: string, value: Json): string | SyscallProblem {
    return this.attempt(() => {
      requireWrite(this.frame, "insert");
      return this.frame.transaction.insert(table, requireObject(value, "db.insert"));
    });
  }

  patch(table: string | undefined, id: string, patch: JsonObject): null | SyscallProblem {
    return this.attempt(() => {
      requireWrite(this.frame, "patch");
      this.frame.transaction.patch(id, patch, { operation: "db.patch", table, system: false });
      return null;
    });
  }

  replace(table: string | undefined, id: string, value: Json): null | SyscallProblem {
    return this.attempt(() => {
      requireWrite(this.frame, "replace");
      const document = requireObject(value, "db.replace");
      this.frame.transaction.replace(id, document, { operation: "db.replace", table, system: false });
      return null;
    });
  }

  remove(table: string | undefined, id: string): null | SyscallProblem {
    return this.attempt(() => {
      requireWrite(this.frame, "delete");
      this.frame.transaction.remove(id, { operation: "db.delete", table, system: false });
      return null;
    });
  }

  normalizeId(table: string, text: string): string | null | SyscallProblem {
    return this.attempt(() => {
      const found = this.frame.transaction.table(table);
      return found ? normalizeId(found.number, text) : null;
    });
  }
}
