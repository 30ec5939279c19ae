/** Volcengine's HMAC-SHA256 signatures, in the header `Authorization` or in the query. */
import { escapeUri } from "../../http/uri";
import { hex, hmacSha256, sha256 } from "../../model/secrets";

const ALGORITHM = "HMAC-SHA256";
const TERMINATOR = "request";

/** What a request says of its signature. */
export interface Signature {
  accessKeyId: string;
  /** Day, as in the credential scope: 20201230. */
  date: string;
  region: string;
  service: string;
  /** Time, as in `X-Date`: 20201230T081805Z. */
  time: string;
  /** Names of the headers signed, in lower case, in their order. */
  signedHeaders: string[];
  signature: string;
  /** Fields of the query that are no part of what is signed. */
  unsignedFields: readonly string[];
  signsBody: boolean;
}

/** What is missing or wrong in what a request says of its signature. */
export type SignatureProblem =
  { problem: "none" | "unsigned" | "malformedTime" | "unsignedQuery" } | { problem: "missing"; what: string };

/** The parts of a request that are signed. */
export interface SignedRequest {
  method: string;
  /** The path as sent; empty segments included. */
  path: string;
  query: readonly (readonly [name: string, value: string])[];
  header(name: string): string | null;
  /** SHA-256 of the body, in hex. */
  bodyHash: string;
}

/** What a request says of its signature. */
export function parseSignature({
  query,
  header,
}: Pick<SignedRequest, "query" | "header">): Signature | SignatureProblem {
  const authorization = header("Authorization");
  if (authorization !== null) return parseHeader(authorization, header("X-Date"));
  const fields = new Map(query);
  return fields.has("X-Algorithm") || fields.has("X-Signature") ? parseQuery(fields) : { problem: "none" };
}

function parseHeader(authorization: string, time: string | null): Signature | SignatureProblem {
  const [algorithm, ...rest] = authorization.trim().split(/\s+/);
  if (algorithm !== ALGORITHM) return { problem: "none" };
  const parts = new Map(
    rest
      .join("")
      .split(",")
      .map((part): [string, string] => {
        const at = part.indexOf("=");
        return [part.slice(0, Math.max(at, 0)), part.slice(at + 1)];
      }),
  );
  return assemble({
    credential: parts.get("Credential"),
    signedHeaders: parts.get("SignedHeaders"),
    signature: parts.get("Signature"),
    time,
    unsignedFields: [],
    signsBody: true,
  });
}

function parseQuery(fields: ReadonlyMap<string, string>): Signature | SignatureProblem {
  if (fields.get("X-Algorithm") !== ALGORITHM) return { problem: "none" };
  const signedFields = new Set((fields.get("X-SignedQueries") ?? "").split(";"));
  const unsignedFields = [...fields.keys()].filter((name) => !signedFields.has(name));
  // One client signs the list of the fields that it signs, the other does not. All else has to be signed.
  if (unsignedFields.some((name) => name !== "X-Signature" && name !== "X-SignedQueries")) {
    return { problem: "unsignedQuery" };
  }
  return assemble({
    credential: fields.get("X-Credential"),
    signedHeaders: fields.get("X-SignedHeaders") ?? "",
    signature: fields.get("X-Signature"),
    time: fields.get("X-Date") ?? null,
    unsignedFields: [...unsignedFields, "X-Signature"],
    signsBody: !fields.has("X-NotSignBody"),
  });
}

function assemble(given: {
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  time: string | null;
  unsignedFields: readonly string[];
  signsBody: boolean;
}): Signature | SignatureProblem {
  const { credential, signedHeaders, signature, time, unsignedFields, signsBody } = given;
  if (!signature) return { problem: "unsigned" };
  if (!credential) return { problem: "missing", what: "Credential" };
  const [accessKeyId, date, region, service, terminator, ...more] = credential.split("/");
  if (!accessKeyId) return { problem: "missing", what: "Access Key" };
  if (!date) return { problem: "missing", what: "Date" };
  if (!region) return { problem: "missing", what: "Region" };
  if (!service) return { problem: "missing", what: "Service" };
  if (terminator !== TERMINATOR || more.length > 0) return { problem: "missing", what: "Credential" };
  if (signedHeaders === undefined) return { problem: "missing", what: "SignedHeaders" };
  if (time === null) return { problem: "missing", what: "X-Date" };
  if (Number.isNaN(timeOf(time))) return { problem: "malformedTime" };
  return {
    accessKeyId,
    date,
    region,
    service,
    time,
    signedHeaders: signedHeaders.split(";").filter(Boolean),
    signature,
    unsignedFields,
    signsBody,
  };
}

/** Milliseconds since the epoch of a time like 20201230T081805Z; NaN if it is none. */
export function timeOf(time: string): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time);
  if (!parts) return Number.NaN;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/**
 * The signatures that fit a request: one for its path as sent and, as clients sign that who are told of an endpoint with a path of
 * its own, one for the root.
 */
export async function signaturesOf(
  request: SignedRequest,
  signature: Signature,
  secret: string,
): Promise<string[]> {
  const { date, region, service } = signature;
  let key: string | ArrayBuffer = secret;
  for (const part of [date, region, service, TERMINATOR]) key = await hmacSha256(key, part);
  const signingKey = key as ArrayBuffer;
  const paths = [...new Set([request.path, "/"])];
  return Promise.all(
    paths.map(async (path) => {
      const canonical = canonicalRequest({ ...request, path }, signature, await hashOf(request, signature));
      const scope = [date, region, service, TERMINATOR].join("/");
      const text = [ALGORITHM, signature.time, scope, await sha256(canonical)].join("\n");
      return hex(await hmacSha256(signingKey, text));
    }),
  );
}

async function hashOf({ bodyHash }: SignedRequest, { signsBody }: Signature): Promise<string> {
  return signsBody ? bodyHash : sha256("");
}

/** The text whose hash is signed. */
function canonicalRequest(
  { method, path, query, header }: Omit<SignedRequest, "bodyHash">,
  { signedHeaders, unsignedFields }: Pick<Signature, "signedHeaders" | "unsignedFields">,
  hash: string,
): string {
  const headers = signedHeaders.map((name) => `${name}:${canonicalHeader(name, header(name) ?? "")}`);
  return [
    method,
    path,
    canonicalQuery(query.filter(([name]) => !unsignedFields.includes(name))),
    `${headers.join("\n")}\n`,
    signedHeaders.join(";"),
    hash,
  ].join("\n");
}

/** Usual ports are not signed: Go's client leaves them out. */
function canonicalHeader(name: string, value: string): string {
  const text = value.trim().replace(/\s+/g, " ");
  return name === "host" ? text.replace(/:(80|443)$/, "") : text;
}

function canonicalQuery(fields: SignedRequest["query"]): string {
  return fields
    .toSorted(([one], [other]) => (one < other ? -1 : Number(one > other)))
    .map(([name, value]) => `${escapeUri(name)}=${escapeUri(value)}`)
    .join("&");
}
