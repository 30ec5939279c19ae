import type { MutationCtx } from "../../_generated/server";
import type { Principal } from "../../model/accessKeys";

/** A transaction for an application of a tenant. */
export type VolcengineCtx = MutationCtx & { principal: Principal };

/** The `Result` of an answer, with bigints for whole numbers of 64 bits; undefined if there is none. */
export type Result = Record<string, unknown> | undefined;
