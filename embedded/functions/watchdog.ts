import { createContext, Script } from "node:vm";

/**
 * Runs code that may never return. V8 ends it from another thread when its time is over; what it was doing is then cut
 * off in the middle, `finally` blocks included.
 *
 * Starting the thread costs about 0.1 ms, so callers watch a batch of work at once.
 */
export class Watchdog {
  readonly #scope: { work?: () => void } = {};
  readonly #context = createContext(this.#scope);
  readonly #script = new Script("work()", { filename: "watchdog" });

  /** False when `work` was cut off after `timeoutMs`. What `work` throws is thrown. */
  run(work: () => void, timeoutMs: number): boolean {
    this.#scope.work = work;
    try {
      this.#script.runInContext(this.#context, { timeout: timeoutMs });
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return false;
      throw error;
    }
  }
}

/**
 * Has to be the last thing in a callback of the event loop in which code was cut off: it throws. Node keeps a stack of what
 * runs on whose behalf as soon as anything in the process uses `AsyncLocalStorage`. Code that is cut off leaves its entries
 * there, and Node ends the process when it finds them; an exception that nobody catches is what makes it drop them.
 */
export function dropCutOff(): never {
  const done = () => process.setUncaughtExceptionCaptureCallback(null);
  process.setUncaughtExceptionCaptureCallback(done);
  throw new Error("Code was cut off");
}
