import { omit } from "convex-helpers";
import { type ConvexValidatorFromZod, zodOutputToConvex, zodToConvex } from "convex-helpers/server/zod4";
import type { RegisteredAction, RegisteredMutation, RegisteredQuery, UserIdentity } from "convex/server";
import type { Infer } from "convex/values";
import type * as z from "zod";
import { internal } from "./_generated/api";
import type { Doc, Id } from "./_generated/dataModel";
import {
  type ActionCtx,
  type MutationCtx,
  type QueryCtx,
  action,
  mutation,
  query,
} from "./_generated/server";
import { type ArgsSchema, type Endpoint, functionName } from "./contract/endpoint";
import type { PlaceField } from "./contract/participants";
import { openAsHost, openAsModerator, openAsParticipant, type Place } from "./model/access";
import { requireIdentity, requireUser } from "./model/caller";
import { once } from "./model/idempotency";
import type { MeetingEdit } from "./model/meetingEdit";
import type { MeetingAction } from "./model/meetingStates";
import { parse } from "./model/parse";
import { takeToken } from "./model/rateLimit";
import { rehearse } from "./model/rehearsal";

// Where such a context is made, what is spread comes last: each field that follows a spread at the head of an object literal takes
// V8 many times as long as one before it. The same in the places of `convex/model` that every request of many people passes.

/** The context of a function for whoever has a good token. */
export type WithIdentity<Ctx> = Ctx & { identity: UserIdentity };

/** The context of a function for known, active users. */
export type WithUser<Ctx> = WithIdentity<Ctx> & { user: Doc<"users"> };

type Handler<Ctx, Args extends ArgsSchema, Returns extends z.ZodType> = (
  ctx: Ctx,
  args: z.output<Args>,
) => Promise<z.output<Returns>>;

// TypeScript finds the arguments and the result of a `RegisteredQuery` and the like under that very name alone, so there is
// no shorter name for what the functions below return.

/** The arguments as a client passes them, with typed ids. */
type ClientArgs<Args extends ArgsSchema> = Infer<ConvexValidatorFromZod<Args, "required">>;

/** Arguments that name a meeting. */
type ArgsOfMeeting = ArgsSchema & z.ZodType<{ meetingId: string }>;

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
      return handler({ identity, ...ctx }, parse(endpoint.args, args));
    },
  });
}

/** Registers the query of an endpoint, for known and active users. */
export function authedQuery<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"query", Args, Returns>,
  handler: Handler<WithUser<QueryCtx>, Args, Returns>,
): RegisteredQuery<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return identityQuery(endpoint, async (ctx, args) =>
    handler({ user: await requireUser(ctx, ctx.identity), ...ctx }, args),
  );
}

/**
 * Registers the query of an endpoint for whoever is in the meeting `meetingId`. A nested query finds out who calls, and the handler
 * must not, so that a runtime may share one run among callers whose `fields` are equal.
 */
export function participantQuery<
  Args extends ArgsOfMeeting,
  Returns extends z.ZodType,
  Field extends PlaceField,
>(
  endpoint: Endpoint<"query", Args, Returns>,
  fields: Field[],
  handler: Handler<Pick<QueryCtx, "db"> & Place<Field>, Args, Returns>,
): RegisteredQuery<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return query({
    ...validatorsOf(endpoint),
    handler: async ({ db, runQuery }, args) => {
      const { meetingId } = args as { meetingId: string };
      const place: Place<PlaceField> = await runQuery(internal.callers.placeInMeeting, {
        meetingId,
        fields,
      });
      return handler({ db, ...(place as Place<Field>) }, parse(endpoint.args, args));
    },
  });
}

/** Registers the mutation of an endpoint, for callers with a good token, known here or not; rate limited. */
export function identityMutation<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  handler: Handler<WithIdentity<MutationCtx>, Args, Returns>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return callerMutation(endpoint, (ctx) => Promise.resolve(ctx), handler);
}

/**
 * Registers the mutation of an endpoint, for those whom `enter` lets in; rate limited. An argument `dryRun` or `idempotencyKey` is
 * seen to here: who is let in no more gets no answer of before either.
 */
function callerMutation<Ctx, Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  enter: (ctx: WithIdentity<MutationCtx>) => Promise<Ctx>,
  handler: Handler<Ctx, Args, Returns>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return mutation({
    ...validatorsOf(endpoint),
    handler: async (ctx, args) => {
      const identity = await requireIdentity(ctx);
      const parsed = parse(endpoint.args, args);
      const { dryRun, idempotencyKey } = parsed as RunArgs;
      if (dryRun === true) {
        const answer = await rehearse<z.output<Returns>>(ctx, functionName(endpoint), argsOf(parsed));
        // Not before: what is rehearsed takes a token as well, which is undone.
        await takeToken(ctx, identity.subject);
        return answer;
      }
      await takeToken(ctx, identity.subject);
      const entered = await enter({ identity, ...ctx });
      const run = () => handler(entered, parsed);
      if (idempotencyKey === undefined) return run();
      const scope = `${identity.subject} ${endpoint.path}`;
      return once(ctx, { scope, key: idempotencyKey, args: argsOf(parsed) }, run);
    },
  });
}

/** Arguments that say how a function is to be run, and not what it is to do. */
type RunArgs = { dryRun?: boolean; idempotencyKey?: string };

/** Those that say what a function is to do. */
function argsOf(parsed: Record<string, unknown>): Record<string, unknown> {
  return omit(parsed, ["dryRun", "idempotencyKey"]);
}

/** Registers the mutation of an endpoint, for known and active users; rate limited. */
export function authedMutation<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  handler: Handler<WithUser<MutationCtx>, Args, Returns>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return callerMutation(
    endpoint,
    async (ctx) => ({ user: await requireUser(ctx, ctx.identity), ...ctx }),
    handler,
  );
}

/**
 * Registers the action of an endpoint, for known and active users; rate limited. What it reads and writes it does by
 * internal functions, which must look again at what may have changed in the meantime.
 */
export function authedAction<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"action", Args, Returns>,
  handler: Handler<WithIdentity<ActionCtx> & { userId: Id<"users"> }, Args, Returns>,
): RegisteredAction<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return action({
    ...validatorsOf(endpoint),
    handler: async (ctx, args) => {
      const identity = await requireIdentity(ctx);
      const parsed = parse(endpoint.args, args);
      const userId: Id<"users"> = await ctx.runMutation(internal.callers.admit, {});
      return handler({ identity, userId, ...ctx }, parsed);
    },
  });
}

/**
 * Registers the action of an endpoint for callers who need no account: what they may do is in what their arguments hold. The
 * handler limits how often, once it has found the bearer.
 */
export function openAction<Args extends ArgsSchema, Returns extends z.ZodType>(
  endpoint: Endpoint<"action", Args, Returns>,
  handler: Handler<ActionCtx, Args, Returns>,
): RegisteredAction<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return action({
    ...validatorsOf(endpoint),
    handler: (ctx, args) => handler(ctx, parse(endpoint.args, args)),
  });
}

/** Registers the mutation of an endpoint, for hosts of the meeting in whose state `meetingAction` can be done. */
export function hostMutation<Args extends ArgsOfMeeting, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  meetingAction: MeetingAction,
  handler: (
    edit: MeetingEdit,
    args: z.output<Args>,
    ctx: WithUser<MutationCtx>,
  ) => Promise<z.output<Returns>>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return authedMutation(endpoint, async (ctx, args) => {
    const edit = await openAsHost(ctx, args.meetingId, meetingAction);
    const result = await handler(edit, args, ctx);
    await edit.save();
    return result;
  });
}

/** Registers the mutation of an endpoint, for hosts and co-hosts of the meeting in whose state `meetingAction` can be done. */
export function moderatorMutation<Args extends ArgsOfMeeting, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  meetingAction: MeetingAction,
  handler: (edit: MeetingEdit, args: z.output<Args>) => Promise<z.output<Returns>>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return authedMutation(endpoint, async (ctx, args) => {
    const edit = await openAsModerator(ctx, args.meetingId, meetingAction);
    const result = await handler(edit, args);
    await edit.save();
    return result;
  });
}

/** Registers the mutation of an endpoint, for whoever is in the meeting. */
export function participantMutation<Args extends ArgsOfMeeting, Returns extends z.ZodType>(
  endpoint: Endpoint<"mutation", Args, Returns>,
  handler: (
    edit: MeetingEdit,
    participant: Doc<"meetingParticipants">,
    args: z.output<Args>,
  ) => Promise<z.output<Returns>>,
): RegisteredMutation<"public", ClientArgs<Args>, Promise<z.output<Returns>>> {
  return authedMutation(endpoint, async (ctx, args) => {
    const { edit, participant } = await openAsParticipant(ctx, args.meetingId);
    const result = await handler(edit, participant, args);
    await edit.save();
    return result;
  });
}

function validatorsOf({ args, returns }: Endpoint) {
  return { args: zodToConvex(args), returns: zodOutputToConvex(returns) };
}
