import { fail } from "../model/errors";

/** The longest body that is read: 1 MiB holds the longest batch ten times over. */
const MAX_BODY_BYTES = 1024 * 1024;

type Reviver = (key: string, value: unknown) => unknown;

/** For `JSON.parse`: leaves out what is null, which clients of other systems send for what is absent. */
export const withoutNulls: Reviver = (_, value) => value ?? undefined;

/** The JSON of a request. UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE or INVALID_ARGUMENT. */
export async function readJson(request: Request, reviver?: Reviver): Promise<unknown> {
  const mediaType = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    fail("UNSUPPORTED_MEDIA_TYPE", "Content-Type must be application/json");
  }
  const bytes = await readBytes(request);
  return parseJson(bytes, () => fail("INVALID_ARGUMENT", "The body is not valid JSON"), reviver);
}

/** The JSON of a body; `refuse` ends a request with another. */
export function parseJson(bytes: Uint8Array, refuse: () => never, reviver?: Reviver): unknown {
  try {
    return JSON.parse(decode(bytes), reviver);
  } catch {
    return refuse();
  }
}

/** The text of a body; throws if it is not UTF-8. */
export function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

/** The body of a request, of which no more is read than the limit, since Content-Length may be absent; PAYLOAD_TOO_LARGE. */
export async function readBytes({ headers, body }: Request): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(headers.get("Content-Length")) > MAX_BODY_BYTES) tooLarge();
  if (!body) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.byteLength;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      tooLarge();
    }
    chunks.push(next.value);
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(): never {
  fail("PAYLOAD_TOO_LARGE", `The body must not be longer than ${MAX_BODY_BYTES} bytes`);
}
