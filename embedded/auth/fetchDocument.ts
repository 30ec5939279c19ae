import type { Json } from "../values/json";
import { parseJson } from "./json";

/** Why a document could not be had; `status` and `contentType` are what the other server answered. */
export type FetchFailure =
  | { readonly kind: "dataUrl" }
  | { readonly kind: "network"; readonly reason: string }
  | { readonly kind: "status"; readonly status: number; readonly statusText: string }
  | { readonly kind: "contentType"; readonly contentType: string }
  | { readonly kind: "body" };

/** A document could not be fetched or understood. It is caught inside this folder and never reaches a client. */
export class FetchDocumentError extends Error {
  override readonly name = "FetchDocumentError";
  readonly failure: FetchFailure;

  constructor(failure: FetchFailure) {
    super(`document could not be fetched: ${failure.kind}`);
    this.failure = failure;
  }
}

export interface FetchDocumentOptions {
  /** Media types to accept, in lower case and without parameters. */
  readonly mediaTypes: readonly string[];
  /** Whether an answer without a content type is accepted. */
  readonly mediaTypeOptional: boolean;
}

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 1024 * 1024;

/**
 * The JSON document at an http:, https: or data: URL. The media type of a data: URL is not looked at.
 * @throws FetchDocumentError
 */
export async function fetchDocument(url: string, options: FetchDocumentOptions): Promise<Json> {
  const { protocol, href, hash } = new URL(url);
  // Not by way of `fetch`, which is slow to load: a development server needs nothing else of it at its start.
  if (protocol === "data:") return parseBody(dataOf(href.slice(0, href.length - hash.length)));
  let response: Response;
  try {
    response = await fetch(url, {
      headers: { accept: "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new FetchDocumentError({ kind: "network", reason: networkReason(error) });
  }
  try {
    checkAnswer(response, options);
  } catch (error) {
    await response.body?.cancel();
    throw error;
  }
  return parseBody(await readBody(response));
}

/** What a data: URL without a fragment holds, as the Fetch standard has it. */
function dataOf(href: string): Buffer {
  const [, isBase64, encoded] = /^data:[^,]*?(; *base64)?,(.*)$/i.exec(href) ?? [];
  if (encoded === undefined || encoded.length > 4 * MAX_BYTES)
    throw new FetchDocumentError({ kind: "dataUrl" });
  const text = encoded.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  let data: Buffer;
  try {
    data = Buffer.from(isBase64 === undefined ? text : atob(text), "latin1");
  } catch {
    throw new FetchDocumentError({ kind: "dataUrl" });
  }
  if (data.length > MAX_BYTES) throw new FetchDocumentError({ kind: "body" });
  return data;
}

function checkAnswer(response: Response, { mediaTypes, mediaTypeOptional }: FetchDocumentOptions): void {
  if (response.status !== 200) {
    const { status, statusText } = response;
    throw new FetchDocumentError({ kind: "status", status, statusText });
  }
  const contentType = response.headers.get("content-type");
  if (contentType === null && mediaTypeOptional) return;
  const [essence = "", ...parameters] = (contentType ?? "").toLowerCase().split(";");
  const charset = parameters.map((parameter) => parameter.trim()).find((p) => p.startsWith("charset="));
  const isUtf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset);
  if (!mediaTypes.includes(essence.trim()) || !isUtf8) {
    throw new FetchDocumentError({ kind: "contentType", contentType: contentType ?? "unknown" });
  }
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the rest of the answer.
      if (bytes > MAX_BYTES) throw new FetchDocumentError({ kind: "body" });
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof FetchDocumentError) throw error;
    throw new FetchDocumentError({ kind: "network", reason: networkReason(error) });
  }
  return Buffer.concat(chunks);
}

function parseBody(body: Buffer): Json {
  try {
    return parseJson(body.toString("utf8"));
  } catch {
    throw new FetchDocumentError({ kind: "body" });
  }
}

/** Node's fetch hides the reason in `cause`; its code (ECONNREFUSED, ENOTFOUND, ...) says enough. */
function networkReason(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `no complete answer within ${TIMEOUT_MS / 1000} seconds`;
  }
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "the connection failed";
}
