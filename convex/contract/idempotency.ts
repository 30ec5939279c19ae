import * as z from "zod";

/** For how long an answer is kept for a request that is sent again. */
export const IDEMPOTENCY_MS = 24 * 60 * 60_000;

export const idempotencyKey = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\x21-\x7e]+$/, "Must be printable ASCII without spaces")
  .describe(
    "A key counts for one caller and one function. With the same request it gives the same answer for 24 hours, and nothing is done twice; with another request it is refused",
  );

/** Fields of the table `idempotencyKeys`. */
export const idempotencyFields = {
  /** The caller, and the function called. */
  scope: z.string(),
  key: z.string(),
  /** SHA-256 of the request, in hex. */
  requestHash: z.string(),
  /** JSON. */
  answer: z.string(),
};
