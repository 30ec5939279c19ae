import { AsyncLocalStorage } from "node:async_hooks";
import { guardGlobals } from "./hostGlobals";

/** What the convex package calls, as the global `Convex`, in the name of the function that runs. */
export interface ConvexGlobal {
  /** Whether it is a query or mutation, and has not ended. */
  readonly inTransaction: boolean;
  syscall(operation: string, args: string): string;
  asyncSyscall(operation: string, args: string): Promise<string>;
  jsSyscall(operation: string, args: Record<string, unknown>): Promise<unknown>;
}

const calls = new AsyncLocalStorage<ConvexGlobal>();

/** The call in whose name the code runs that asks. */
export function currentCall(): ConvexGlobal | undefined {
  return calls.getStore();
}

/** Runs a function of the process's own realm, in which many calls may be under way at a time. */
export function runInHostRealm<T>(call: ConvexGlobal, work: () => Promise<T>): Promise<T> {
  (globalThis as { Convex?: Omit<ConvexGlobal, "inTransaction"> }).Convex = CURRENT;
  guardGlobals(currentTransaction);
  return calls.run(call, work);
}

function currentTransaction(): ConvexGlobal | null {
  const call = currentCall();
  return call?.inTransaction ? call : null;
}

/** Does work that is nobody's: what a module does when it is evaluated is not done by the call that needs it. */
export function runOutsideOfCalls<T>(work: () => Promise<T>): Promise<T> {
  return calls.exit(work);
}

const CURRENT: Omit<ConvexGlobal, "inTransaction"> = {
  syscall: (operation, args) => required().syscall(operation, args),
  asyncSyscall: async (operation, args) => required().asyncSyscall(operation, args),
  jsSyscall: async (operation, args) => required().jsSyscall(operation, args),
};

function required(): ConvexGlobal {
  const call = currentCall();
  if (!call) throw new Error("ctx can only be used while the function runs that was given it");
  return call;
}
