import * as z from "zod";
import { idempotencyKey } from "./idempotency";

/** How a change is to be made, which is seen to before the function itself. Functions with them give IDEMPOTENCY_CONFLICT. */
export const runOptions = {
  dryRun: z.boolean().exactOptional().describe("Gives the same answer, but writes nothing"),
  idempotencyKey: idempotencyKey.exactOptional(),
};
