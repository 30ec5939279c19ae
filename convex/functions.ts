import { type ConvexValidatorFromZod, zodOutputToConvex, zodToConvex } from "convex-helpers/server/zod4";
import type { RegisteredMutation, RegisteredQuery, UserIdentity } from "convex/server";
import type { Infer } from "convex/values";
import type * as z from "zod";
import type { Doc } from "./_generated/dataModel";
import { type MutationCtx, type QueryCtx, mutation, query } from "./_generated/server";
import type { ArgsSchema, Endpoint } from "./contract/endpoint";
import { requireIdentity, requireUser } from "./model/caller";
import { parse } from "./model/parse";
import { takeToken } from "./model/rateLimit";

/** The context of a function for whoever has a good token. */
export type WithIdentity<Ctx> = Ctx & { identity: UserIdentity };

/** The context of a function for known, active users. */
export type WithUser<Ctx> = WithIdentity<Ctx> & { user: Doc<"users"> };

type Handler<Ctx, Args extends ArgsSchema, Returns extends z.ZodType> = (
  ctx: Ctx,
  args: z.output<Args>,
) => Promise<z.output<Returns>>;

// TypeScript finds the arguments and the result of a `RegisteredQuery` or `RegisteredMutation` under that very name alone,
// so there is no shorter name for what the functions below return.

/** The arguments as a client passes them, with typed ids. */
type ClientArgs<Args extends ArgsSchema> = Infer<ConvexValidatorFromZod<Args, "required">>;

/** Registers the query of an endpoint, for callers with a good token, known here or not. */
export function identityQuery<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"query", Args, Returns>,
  handler: Handler<WithIdentity<QueryCtx>, Args, Returns>,
): RegisteredQuery<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return query({
    ...validatorsOf(endpoint),
    handler: async (ctx, args) => {
      const identity = await requireIdentity(ctx);
      // Says what a Convex validator cannot: lengths, ranges, formats.
      return handler({ ...ctx, identity }, parse(endpoint.args, args));
    },
  });
}

/** Registers the query of an endpoint, for known and active users. */
export function authedQuery<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"query", Args, Returns>,
  handler: Handler<WithUser<QueryCtx>, Args, Returns>,
): RegisteredQuery<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return identityQuery(endpoint, async (ctx, args) =>
    handler({ ...ctx, user: await requireUser(ctx, ctx.identity) }, args),
  );
}

/** Registers the mutation of an endpoint, for callers with a good token, known here or not; rate limited. */
export function identityMutation<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  handler: Handler<WithIdentity<MutationCtx>, Args, Returns>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return mutation({
    ...validatorsOf(endpoint),
    handler: async (ctx, args) => {
      const identity = await requireIdentity(ctx);
      const parsed = parse(endpoint.args, args);
      await takeToken(ctx, identity.subject);
      return handler({ ...ctx, identity }, parsed);
    },
  });
}

/** Registers the mutation of an endpoint, for known and active users; rate limited. */
export function authedMutation<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  handler: Handler<WithUser<MutationCtx>, Args, Returns>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return identityMutation(endpoint, async (ctx, args) =>
    handler({ ...ctx, user: await requireUser(ctx, ctx.identity) }, args),
  );
}

function validatorsOf({ args, returns }: Endpoint) {
  return { args: zodToConvex(args), returns: zodOutputToConvex(returns) };
}
