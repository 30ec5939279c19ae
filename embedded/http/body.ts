import type { IncomingMessage } from "node:http";
import { ApiError } from "./apiError";
import type { Intake } from "./intake";

/** A body part by part. Whoever stops in the midst of it can still answer: the rest is left where it is. */
export function partsOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** A request's body is larger than the limit. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";
}

/**
 * Reads a body of at most `limitBytes`. Rejects with {@link BodyTooLargeError}, with a 503 when too much of other requests is
 * held already, or when the client goes away.
 */
export function readBody(request: IncomingMessage, limitBytes: number, intake: Intake): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) {
    return Promise.reject(new BodyTooLargeError(`The body is larger than ${limitBytes} bytes`));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const release = () => {
      intake.release(size);
      size = 0;
    };
    const refuse = (error: Error) => {
      request.removeAllListeners("data");
      chunks.length = 0;
      release();
      reject(error);
    };
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      const fits = intake.take(chunk.length);
      if (size > limitBytes)
        return refuse(new BodyTooLargeError(`The body is larger than ${limitBytes} bytes`));
      if (!fits) return refuse(new ApiError(503, "Overloaded", "Too many requests are being received"));
      chunks.push(chunk);
    });
    request.on("end", () => {
      release();
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    request.on("error", refuse);
    request.on("close", () => {
      if (!request.readableEnded) refuse(new Error("The client closed the connection"));
    });
  });
}
