import { DevelopmentKeyError } from "./auth/developmentIssuer";
import { AuthConfigError } from "./auth/providers";
import { AdminKeyError } from "./dataFiles";
import { MissingVariableError } from "./functions/app";
import { AppLoadError } from "./functions/loading";
import { BundleError } from "./loader/bundle";
import { DataFolderError } from "./storage/dataFolder";
import { refusalOfDisk } from "./storage/diskError";
import { SchemaMismatchError } from "./transaction/indexBuild";

/** Why a deployment can't start, for the user: one line that says what is wrong and what to do. */
export class StartError extends Error {
  override readonly name = "StartError";
}

type SystemError = { code?: string; port?: number; address?: string };

/** Turns what start-up threw into words for the user, if it is something that the user can mend. */
export function explainStartFailure(error: unknown): unknown {
  if (
    error instanceof DataFolderError ||
    error instanceof DevelopmentKeyError ||
    error instanceof AdminKeyError
  ) {
    return new StartError(oneLine(error.message), { cause: error });
  }
  if (error instanceof BundleError || error instanceof AppLoadError) {
    const message = oneLine(error.message);
    const advice =
      error.cause instanceof MissingVariableError
        ? "Set it in the environment or in .env.local and start again."
        : "Mend the file, then it can be loaded.";
    return new StartError(`${message} ${advice}`, { cause: error });
  }
  if (error instanceof SchemaMismatchError) {
    const advice = "Change the schema or the document; nothing was written.";
    return new StartError(`${oneLine(error.message)} ${advice}`, { cause: error });
  }
  if (error instanceof AuthConfigError) {
    return new StartError(`auth.config can't be used: ${oneLine(error.message)}`, { cause: error });
  }
  const { code, port, address } = error as SystemError;
  if (code === "EADDRINUSE") {
    const place = `Port ${port} on ${address} is taken.`;
    return new StartError(`${place} Stop what uses it, or choose another with --port and --site-port.`, {
      cause: error,
    });
  }
  if (code === "EACCES" && port !== undefined) {
    return new StartError(`Port ${port} needs rights that this process lacks. Choose one above 1023.`, {
      cause: error,
    });
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new StartError("This machine has no such address. Choose another with --host.", { cause: error });
  }
  const refusal = refusalOfDisk(error);
  if (refusal !== null) {
    const { code: reason, advice } = refusal;
    return new StartError(
      `The data folder cannot be written to (${reason}): ${advice}, or choose another data folder.`,
      { cause: error },
    );
  }
  return error;
}

function oneLine(text: string): string {
  return text
    .trim()
    .split(/\s*\n\s*/)
    .join(" ");
}
