import { ApiError } from "./apiError";
import type { ValueFormat } from "./format";

const SEMVER = /^(\d+)\.(\d+)\.(\d+)(?:[-+][\w.+-]+)?$/;

/** Versions of clients from which on a request without `format` wants clean JSON. The ones before expect encoded values. */
const CLEAN_SINCE: Readonly<Record<string, readonly [number, number, number]>> = {
  npm: [1, 4, 1],
  "npm-cli": [1, 4, 1],
  actions: [1, 4, 1],
  python: [0, 5, 0],
  "python-convex": [0, 5, 0],
};

/**
 * The format of values that a client expects which asks for none, by its `Convex-Client` header, such as "npm-1.48.0". Throws
 * {@link ApiError} for a header that is none.
 */
export function defaultFormat(header: string | undefined): ValueFormat {
  if (header === undefined) return "clean";
  const parts = header.split("-");
  if (parts.length < 2) {
    throw new ApiError(
      400,
      "InvalidClientVersion",
      `Failed to parse client version string: '${header.slice(0, 100)}'. Expected format is {client_name}-{semver}, e.g. my-esolang-client-0.0.1`,
    );
  }
  // The version is the longest end that is one.
  for (let n = 1; n < parts.length; n++) {
    const version = SEMVER.exec(parts.slice(n).join("-"));
    if (!version) continue;
    const since = CLEAN_SINCE[parts.slice(0, n).join("-")];
    return since === undefined || isAtLeast(version.slice(1).map(Number), since) ? "clean" : "encoded";
  }
  return "clean";
}

function isAtLeast(version: readonly number[], since: readonly number[]): boolean {
  for (const [i, wanted] of since.entries()) {
    const part = version[i] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
