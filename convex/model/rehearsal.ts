/** A function that is run and undone: its answer is what it would have been, and nothing is written. */
import { makeFunctionReference } from "convex/server";
import { ConvexError, type Value } from "convex/values";
import { internal } from "../_generated/api";
import type { MutationCtx } from "../_generated/server";

/** What a rehearsal ends with, so that all it has written is undone. */
interface Rehearsed {
  [field: string]: Value | undefined;
  rehearsed: Value;
}

/** The answer of a mutation that is undone. Fails as the mutation fails. */
export async function rehearse<Answer>(
  ctx: MutationCtx,
  name: string,
  args: Record<string, unknown>,
): Promise<Answer> {
  try {
    await ctx.runMutation(internal.rehearsal.runAndUndo, { name, args });
  } catch (error) {
    if (error instanceof ConvexError && isRehearsed(error.data)) return error.data.rehearsed as Answer;
    throw error;
  }
  throw new Error("A rehearsal has not been undone");
}

/** Runs a mutation, and throws its answer. */
export async function runAndUndo(
  ctx: MutationCtx,
  name: string,
  args: Record<string, Value>,
): Promise<never> {
  const rehearsed: Value = await ctx.runMutation(makeFunctionReference<"mutation">(name), args);
  throw new ConvexError<Rehearsed>({ rehearsed });
}

function isRehearsed(data: unknown): data is Rehearsed {
  return typeof data === "object" && data !== null && "rehearsed" in data;
}
