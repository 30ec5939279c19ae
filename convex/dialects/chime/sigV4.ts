/** AWS Signature Version 4 with signed headers, as pure functions. */
import { escapeUri } from "../../http/uri";
import { hex, hmacSha256, sha256 } from "../../model/secrets";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "chime";
const TERMINATOR = "aws4_request";
const MAX_HEADER_LENGTH = 4096;

/** What an `Authorization` header says. */
export interface Authorization {
  accessKeyId: string;
  /** Date, region, service and `aws4_request`: what the signing key is made for. */
  scope: string;
  date: string;
  signedHeaders: string[];
  /** 64 hexadecimal digits. */
  signature: string;
}

/** Reads an `Authorization` header, or says in AWS's words what is wrong with it. */
export function parseAuthorization(header: string): Authorization | { problem: string } {
  if (header.length > MAX_HEADER_LENGTH) return { problem: "Authorization header is too long." };
  const [algorithm = "", ...rest] = header.trim().split(" ");
  if (algorithm !== ALGORITHM) return { problem: "Unsupported AWS 'algorithm' in the Authorization header." };
  const fields = new Map<string, string>();
  for (const part of rest.join(" ").split(",")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (equals < 0 || fields.has(name)) {
      return { problem: "Authorization header has a key that is no key=value pair, or is there twice." };
    }
    fields.set(name, part.slice(equals + 1).trim());
  }
  const missing = ["Credential", "Signature", "SignedHeaders"].filter((name) => !fields.get(name));
  if (missing.length > 0) {
    return { problem: `Authorization header requires ${missing.map(parameter).join(" ")}` };
  }
  return readFields(fields);
}

function readFields(fields: ReadonlyMap<string, string>): Authorization | { problem: string } {
  const credential = fields.get("Credential") ?? "";
  const match = /^([\w-]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/([a-z0-9_]+)$/.exec(
    credential,
  );
  const [, accessKeyId, date, region, service, terminator] = match ?? [];
  if (accessKeyId === undefined || date === undefined) {
    return {
      problem:
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
    };
  }
  if (service !== SERVICE)
    return { problem: `Credential should be scoped to correct service: '${SERVICE}'.` };
  if (terminator !== TERMINATOR) {
    return { problem: `Credential should be scoped with a valid terminator: '${TERMINATOR}'.` };
  }
  const signedHeaders = (fields.get("SignedHeaders") ?? "").split(";");
  if (!signedHeaders.every((name) => /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name))) {
    return { problem: "SignedHeaders must be names of headers in lower case, separated by semicolons." };
  }
  if (!signedHeaders.includes("host")) {
    return { problem: "'Host' must be a 'SignedHeader' in the AWS Authorization." };
  }
  const signature = fields.get("Signature") ?? "";
  if (!/^[0-9a-f]{64}$/.test(signature)) return { problem: "Signature must be 64 hexadecimal digits." };
  const scope = [date, region, service, terminator].join("/");
  return { accessKeyId, scope, date, signedHeaders, signature };
}

function parameter(name: string): string {
  return `'${name}' parameter.`;
}

/** The part of a request that is signed. */
export interface SignedRequest {
  method: string;
  /** As it was sent, encoded. */
  path: string;
  /** As it was sent, without the question mark. */
  query: string;
  /** The value of a header by its name in lower case. */
  header: (name: string) => string;
  /** SHA-256 of the body, in hex. */
  payloadHash: string;
}

/** The signature that a request must have: 64 hexadecimal digits. For actions. */
export async function signatureOf(
  request: SignedRequest,
  { scope, signedHeaders }: Pick<Authorization, "scope" | "signedHeaders">,
  secret: string,
): Promise<string> {
  const canonical = canonicalRequest(request, signedHeaders);
  const text = [ALGORITHM, request.header("x-amz-date"), scope, await sha256(canonical)].join("\n");
  let key: string | ArrayBuffer = `AWS4${secret}`;
  for (const part of scope.split("/")) key = await hmacSha256(key, part);
  return hex(await hmacSha256(key, text));
}

/** The text of a request whose hash is signed. */
export function canonicalRequest(request: SignedRequest, signedHeaders: readonly string[]): string {
  const { method, path, query, header, payloadHash } = request;
  const headers = signedHeaders.map((name) => `${name}:${header(name).trim().replace(/ +/g, " ")}\n`);
  return [
    method,
    canonicalPath(path),
    canonicalQuery(query),
    headers.join(""),
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

/** The normalized path, encoded once more than it was sent. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(escapeUri(segment));
  }
  const isFolder = path.endsWith("/") && segments.length > 0;
  return `/${segments.join("/")}${isFolder ? "/" : ""}`;
}

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter(Boolean)
    .map((pair): [string, string] => {
      const [name = "", ...value] = pair.split("=");
      return [escapeUri(decode(name)), escapeUri(decode(value.join("=")))];
    })
    .toSorted(
      ([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue),
    )
    .map((pair) => pair.join("="))
    .join("&");
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** An escape that is none stands for itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
