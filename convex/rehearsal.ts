import { v } from "convex/values";
import { internalMutation } from "./_generated/server";
import * as rehearsal from "./model/rehearsal";

/** Runs a mutation by its name and undoes it: throws its answer, as `{rehearsed}`, to be caught by `rehearse`. */
export const runAndUndo = internalMutation({
  // The arguments are of any mutation, whose own validator checks them.
  args: { name: v.string(), args: v.record(v.string(), v.any()) },
  returns: v.null(),
  handler: (ctx, { name, args }) => rehearsal.runAndUndo(ctx, name, args),
});
