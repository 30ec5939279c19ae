/** Clients of Volcengine's wire: its own SDK for Node, and requests that are signed as its SDK for Go signs them. */
import { createHash, createHmac } from "node:crypto";
import { Service } from "@volcengine/openapi";
import type { NewCredentials } from "../../../convex/contract/accessKeys";

export interface VolcengineAnswer {
  ResponseMetadata: {
    RequestId: string;
    Action: string;
    Version: string;
    Service: string;
    Region: string;
    Error?: { CodeN?: number; Code: string; Message: string };
  };
  Result?: Record<string, unknown>;
}

type Call = (action: string, body: object) => Promise<VolcengineAnswer>;

/** Calls actions by the vendor's SDK. */
export function sdkClient(siteUrl: string, credentials: NewCredentials, pathname?: string): Call {
  const { host } = new URL(siteUrl);
  const service = new Service({
    host,
    protocol: "http:",
    serviceName: "rtc",
    region: "cn-north-1",
    defaultVersion: "2020-12-01",
    accessKeyId: credentials.accessKeyId,
    secretKey: credentials.secretAccessKey,
  });
  return async (action, body) =>
    // The SDK takes a path that its types do not tell of.
    (await service.createJSONAPI(action)(body, undefined, { pathname } as object)) as VolcengineAnswer;
}

export interface SignOptions {
  accessKeyId: string;
  secretAccessKey: string;
  time?: string;
  region?: string;
  service?: string;
  path?: string;
  /** The path that is signed, if it is another one. */
  signedPath?: string;
  headers?: Record<string, string>;
}

export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();

export function timeNow(offsetMs = 0): string {
  return new Date(Date.now() + offsetMs).toISOString().replaceAll(/[:-]|\.\d+/g, "");
}

function sign(
  canonical: string,
  {
    secretAccessKey,
    region,
    service,
    time,
  }: Required<Pick<SignOptions, "secretAccessKey" | "region" | "service" | "time">>,
) {
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/${service}/request`;
  const key = [date, region, service, "request"].reduce<string | Buffer>(hmac, secretAccessKey);
  return {
    scope,
    signature: hmac(key, ["HMAC-SHA256", time, scope, sha256(canonical)].join("\n")).toString("hex"),
  };
}

const escaped = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const queryOf = (fields: Record<string, string>) =>
  Object.keys(fields)
    .toSorted()
    .map((name) => `${escaped(name)}=${escaped(fields[name] ?? "")}`)
    .join("&");

/** A request with its signature in headers, of which Go's SDK signs content-type, host and all that begin with X-. */
export function goRequest(siteUrl: string, action: string, body: string, options: SignOptions): Request {
  const { path = "/", region = "cn-north-1", service = "rtc", time = timeNow() } = options;
  const query = queryOf({ Action: action, Version: "2020-12-01" });
  const { host } = new URL(siteUrl);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    host: host.replace(/:(80|443)$/, ""),
    "x-content-sha256": sha256(body),
    "x-date": time,
    "x-im-sdk-version": "Golang-V1.0.1",
    ...options.headers,
  };
  const names = Object.keys(headers).toSorted();
  const canonical = [
    "POST",
    options.signedPath ?? path,
    query,
    names.map((name) => `${name}:${headers[name]}\n`).join(""),
    names.join(";"),
    sha256(body),
  ].join("\n");
  const { scope, signature } = sign(canonical, {
    secretAccessKey: options.secretAccessKey,
    region,
    service,
    time,
  });
  const { host: _, ...sent } = headers;
  return new Request(`${siteUrl}${path}?${query}`, {
    method: "POST",
    headers: {
      ...sent,
      Authorization: `HMAC-SHA256 Credential=${options.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
    },
    body,
  });
}

/** The address of a request with its signature in the query, which leaves the body unsigned. */
export function signedUrl(siteUrl: string, action: string, options: SignOptions): string {
  const { region = "cn-north-1", service = "rtc", time = timeNow() } = options;
  const scope = `${time.slice(0, 8)}/${region}/${service}/request`;
  const fields: Record<string, string> = {
    Action: action,
    Version: "2020-12-01",
    "X-Algorithm": "HMAC-SHA256",
    "X-Credential": `${options.accessKeyId}/${scope}`,
    "X-Date": time,
    "X-NotSignBody": "",
    "X-SignedHeaders": "",
    "X-SignedQueries": "",
  };
  fields["X-SignedQueries"] = Object.keys(fields).toSorted().join(";");
  const canonical = ["POST", "/", queryOf(fields), "\n", "", sha256("")].join("\n");
  const { signature } = sign(canonical, { secretAccessKey: options.secretAccessKey, region, service, time });
  return `${siteUrl}/?${queryOf(fields)}&X-Signature=${signature}`;
}

export async function send(
  request: Request,
): Promise<{ status: number; body: VolcengineAnswer; text: string }> {
  const response = await fetch(request);
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text) as VolcengineAnswer, text };
}
