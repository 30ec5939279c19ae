import type { IncomingMessage, ServerResponse } from "node:http";
import { RecentMap } from "../values/recentMap";
import { ApiError } from "./apiError";

/** A request, what it asks for, and its answer. */
export type Exchange = Target & { readonly request: IncomingMessage; readonly response: ServerResponse };

/** Of a request's headers those that calls of functions look at. */
export type RequestHeaders = {
  readonly authorization?: string | undefined;
  readonly "content-type"?: string | undefined;
  readonly "convex-client"?: string | string[] | undefined;
  readonly "convex-request-id"?: string | string[] | undefined;
};

/** What requests ask for, with the path of the URL. They share it: nobody changes it. */
export type Target = { readonly url: URL; readonly path: string };

/** By host and target: clients ask for the same few again and again, and parsing costs three times as much as finding it here. */
const known = new RecentMap<string, Target>(1_000);
const MAX_KNOWN_CHARS = 250;

/** What a request asks for. Throws {@link ApiError} when that can't be read. */
export function targetOf(written: string, host: string): Target {
  const key = `${host} ${written}`;
  const found = known.get(key);
  if (found) return found;
  const url = parseUrl(written, `http://${host}`);
  if (url === null || url.username !== "" || url.password !== "") {
    throw new ApiError(400, "BadRequest", "The request's URL or Host header can't be read");
  }
  const target = { url, path: url.pathname };
  // Those with parameters, among them the admin key, are hardly asked for twice.
  if (url.search === "" && key.length <= MAX_KNOWN_CHARS) known.set(key, target);
  return target;
}

function parseUrl(target: string, origin: string): URL | null {
  try {
    // With the dot a path that begins with two slashes, of either kind, names no other host.
    return new URL(target.startsWith("/") ? `/.${target}` : target, origin);
  } catch {
    return null;
  }
}
