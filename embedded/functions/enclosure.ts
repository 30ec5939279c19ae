import { replayKey } from "../transaction/keys";
import type { Transaction } from "../transaction/transaction";

/**
 * What is done in a call's own transaction before and after it; for a mutation it is committed with it or not at all. It is
 * the runtime's own work: the call is not charged for it. Whatever it throws is a fault.
 */
export interface Enclosure {
  /** Comes before the function. Gives the result, as JSON text, of a call that must not run again, else `null`. */
  before(transaction: Transaction, nowMs: number): string | null;
  /** Comes after a function that has succeeded. `value`: its result as JSON text. */
  after(transaction: Transaction, value: string, nowMs: number): void;
}

/** What is kept of a mutation that may be sent again. `value`: its result as JSON text. */
export type KeptResult = { readonly value: string; readonly atMs: number };

/**
 * Names a mutation among all others. If it has succeeded before, it is not run again, and its result is the one that it had
 * then: a client that has lost its connection can't know, and sends it once more.
 */
export function once(sessionAndRequest: string): Enclosure {
  const key = replayKey(sessionAndRequest);
  return {
    before(transaction) {
      const kept = transaction.readNote(key);
      return kept === undefined ? null : (JSON.parse(kept) as KeptResult).value;
    },
    after(transaction, value, atMs) {
      const kept: KeptResult = { value, atMs };
      transaction.writeNote(key, JSON.stringify(kept));
    },
  };
}
