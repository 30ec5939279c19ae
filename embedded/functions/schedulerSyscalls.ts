/** What `ctx.scheduler` asks of the runtime: checks the request as Convex does, then does it in the given transaction. */
import { DeveloperError } from "../transaction/errors";
import type { Transaction } from "../transaction/transaction";
import { decodeId, idProblem } from "../values/ids";
import { checkValue, isObject, type Json } from "../values/json";
import { sizeOf } from "../values/size";
import { locate, type FunctionAddress, type Target } from "./addresses";
import type { LoadedApp, LoadedComponent } from "./loadedApp";
import { canonicalPath, type FunctionPath } from "./paths";
import { cancel, schedule, SCHEDULED_FUNCTIONS } from "./scheduledJobs";

type Request = Readonly<Record<string, Json>>;

/** Who schedules, and when it is for them, ms since the epoch. */
type Scheduling = { readonly nowMs: number; readonly scheduledJob: string | null };

const FIVE_YEARS_S = 5 * 366 * 24 * 3600;

/**
 * Schedules a function for a component, in whose `_scheduled_functions` it then is. Gives its id as JSON. Throws a
 * {@link DeveloperError} for what Convex refuses.
 */
export function scheduleBySyscall(
  transaction: Transaction,
  app: LoadedApp,
  scheduling: LoadedComponent,
  request: Request,
  { nowMs, scheduledJob }: Scheduling,
): string {
  const { component, path } = targetOf(app, scheduling, request as FunctionAddress);
  const atMs = timeOf(request["ts"], nowMs);
  const args = argsOf(request["args"]);
  transaction.usage.add("functionsScheduled", 1);
  transaction.usage.add("scheduledFunctionArgsBytes", sizeOf([args]));
  return JSON.stringify(
    schedule(transaction, { component: component.path, path, args, atMs, parent: scheduledJob, nowMs }),
  );
}

/** Cancels a scheduled function. Gives JSON. Throws a {@link DeveloperError} for an id of anything else. */
export function cancelBySyscall(transaction: Transaction, { id }: Request, nowMs: number): string {
  const decoded = typeof id === "string" ? decodeId(id) : null;
  if (decoded === null) {
    const problem = typeof id === "string" ? idProblem(id) : "expected a string";
    throw new DeveloperError(`Invalid argument \`id\` for \`db.cancel_job\`: ${problem}`);
  }
  if (transaction.tableName(decoded.tableNumber) !== SCHEDULED_FUNCTIONS) {
    throw new DeveloperError(
      "Invalid scheduled function ID. The ID must be an ID on the '_scheduled_functions' table.",
    );
  }
  cancel(transaction, id as string, nowMs);
  return "null";
}

/** The function to run must be there when it is scheduled, though it may be gone when it is due. */
function targetOf(app: LoadedApp, from: LoadedComponent, address: FunctionAddress): Target {
  const target = locate(app, from, address);
  if (target.info) return target;
  const [module, exportName] = splitPath(target.path);
  if (canonicalPath(target.path) === null || !target.component.hasModule(module)) {
    throw new DeveloperError(`Attempted to schedule function at nonexistent path: ${module}`);
  }
  throw new DeveloperError(
    `Attempted to schedule function, but no exported function ${exportName} found in the file: ${module}. Did you forget to export it?`,
  );
}

/** "messages:send" is `send` of "messages.js". */
export function splitPath(path: FunctionPath): [module: string, exportName: string] {
  const colon = path.lastIndexOf(":");
  return colon === -1 ? [path, "default"] : [`${path.slice(0, colon)}.js`, path.slice(colon + 1)];
}

/** `ts` is in seconds; gives ms since the epoch. */
function timeOf(ts: Json | undefined, nowMs: number): number {
  if (typeof ts !== "number") {
    throw new DeveloperError("Invalid arguments for `scheduler`: `ts` must be a number");
  }
  if (ts < 0) {
    throw new DeveloperError(
      "Invalid arguments for `ts`: cannot convert float seconds to Duration: value is negative",
    );
  }
  const delay = ts - nowMs / 1000;
  if (Math.abs(delay) > FIVE_YEARS_S) {
    const where = delay > 0 ? "future" : "past";
    throw new DeveloperError(`UnixTimestamp(${ts}s) is more than 5 years in the ${where}`);
  }
  // Whole microseconds, so that a time in ms is what it was before it was divided by 1,000.
  return Math.round(ts * 1e6) / 1e3;
}

function argsOf(written: Json | undefined): Json {
  const args = (Array.isArray(written) ? written[0] : written) ?? {};
  if (!isObject(args)) {
    throw new DeveloperError("Invalid arguments for `scheduler`: arguments must be an object");
  }
  try {
    checkValue(args);
  } catch (error) {
    throw new DeveloperError(`Invalid arguments for \`scheduler\`: ${(error as Error).message}`);
  }
  return args;
}
