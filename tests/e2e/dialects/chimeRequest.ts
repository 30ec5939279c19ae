/** Requests signed by hand, for what Amazon's client would never send. */
import { createHash } from "node:crypto";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { signatureOf } from "../../../convex/dialects/chime/sigV4";
import type { TestServer } from "../server";

export type ChimeAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

export type ChimeRequest = {
  readonly method?: string;
  /** Below `/chime/`, with its query. */
  readonly target: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** When it was signed; now if absent. */
  readonly signedAt?: Date;
  readonly scopeDate?: string;
};

type Key = Pick<NewCredentials, "accessKeyId" | "secretAccessKey">;

/** The headers of a request, its signature among them. */
export async function signedHeaders(server: TestServer, key: Key, request: ChimeRequest) {
  const { method = "GET", body = "", headers = {}, signedAt = new Date() } = request;
  const url = new URL(`${server.siteUrl}/chime/${request.target}`);
  const amzDate = signedAt.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const payloadHash = createHash("sha256").update(body).digest("hex");
  const all: Record<string, string> = {
    host: url.host,
    "x-amz-date": amzDate,
    "x-amz-content-sha256": payloadHash,
    ...headers,
  };
  const names = Object.keys(all).toSorted();
  const scope = `${request.scopeDate ?? amzDate.slice(0, 8)}/us-east-1/chime/aws4_request`;
  const signature = await signatureOf(
    {
      method,
      path: url.pathname,
      query: url.search.slice(1),
      header: (name) => all[name] ?? "",
      payloadHash,
    },
    { scope, signedHeaders: names },
    key.secretAccessKey,
  );
  const { host: _, ...sent } = all;
  return {
    ...sent,
    Authorization: `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

/** Sends a request with these headers and no others. */
export async function send(
  server: TestServer,
  { method = "GET", target, body }: ChimeRequest,
  headers: Readonly<Record<string, string>>,
): Promise<ChimeAnswer> {
  const response = await fetch(`${server.siteUrl}/chime/${target}`, {
    method,
    headers,
    ...(body !== undefined && { body }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Signs and sends a request. */
export async function sendSigned(server: TestServer, key: Key, request: ChimeRequest): Promise<ChimeAnswer> {
  return send(server, request, await signedHeaders(server, key, request));
}
