import { ApiError } from "./apiError";
import { targetOf, type RequestHeaders, type Target } from "./exchange";

/** The head of a request that is read without Node's HTTP server. */
export type PlainHead = Target & {
  readonly headers: RequestHeaders;
  /** How long its body is. */
  readonly bodyBytes: number;
};

/**
 * What of HTTP/1.1 such a head may have: a `POST` to a path without a query, and fields that are ASCII, each in a line of its own. It ends
 * with the end of its last field.
 */
const PLAIN = /^POST (\/[\w./-]+) HTTP\/1\.1\r\n(?:[\w-]+:[\x20-\x7e]*\r\n)+$/;

/** Fields that count once, and of which this is all that is looked at. */
type Single = keyof RequestHeaders | "host" | "content-length";
const SINGLE: ReadonlySet<string> = new Set<Single>([
  "authorization",
  "content-length",
  "content-type",
  "convex-client",
  "convex-request-id",
  "host",
]);
const isSingle = (name: string): name is Single => SINGLE.has(name);

/** Fields that say how the body or the connection goes on, or that the answer depends on in ways that are not known here. */
const NOT_PLAIN = new Set([
  "expect",
  "origin",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Reads the head of a request, with the end of its last line. `null`: there is something in it that is not known here. */
export function readPlainHead(head: string): PlainHead | null {
  const path = PLAIN.exec(head)?.[1];
  if (path === undefined) return null;
  const fields: { [name in Single]?: string } = {};
  for (let at = head.indexOf("\r\n") + 2; at < head.length;) {
    const colon = head.indexOf(":", at);
    const end = head.indexOf("\r\n", colon);
    const name = head.slice(at, colon).toLowerCase();
    const value = head.slice(colon + 1, end).trim();
    if (isSingle(name)) {
      if (fields[name] !== undefined) return null;
      fields[name] = value;
    } else if (name === "connection") {
      if (value.toLowerCase() !== "keep-alive") return null;
    } else if (NOT_PLAIN.has(name)) return null;
    at = end + 2;
  }
  const { host, "content-length": length, ...headers } = fields;
  if (host === undefined || length === undefined || !/^\d{1,9}$/.test(length)) return null;
  try {
    return { ...targetOf(path, host), headers, bodyBytes: Number(length) };
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}
