import { internal } from "../_generated/api";
import * as contract from "../contract/meetingsTokens";
import type { ControlTokenCheck, JoinTokenCheck } from "../contract/tokens";
import { authedAction, openAction } from "../functions";
import { newToken, readToken } from "../model/opaqueTokens";

/** Says what a join token is worth now. */
export const checkJoinToken = openAction(contract.checkJoinToken, (ctx, args): Promise<JoinTokenCheck> =>
  ctx.runAction(internal.livekit.check, args),
);

/** Gives a host a token by which an application can act for them for 30 minutes. */
export const createControlToken = authedAction(
  contract.createControlToken,
  async (ctx, { meetingId }): Promise<{ controlToken: string; expiresAt: number }> => {
    const { text, kept } = await newToken();
    const issued = await ctx.runMutation(internal.tokens.openControlToken, {
      userId: ctx.userId,
      meetingId,
      kept,
    });
    return { controlToken: text, expiresAt: issued.expiresAt };
  },
);

/** Says what a control token is worth now. */
export const checkControlToken = openAction(
  contract.checkControlToken,
  async (ctx, { controlToken }): Promise<ControlTokenCheck> => {
    const sent = await readToken(controlToken);
    if (!sent) return { active: false, reason: "invalid" };
    return ctx.runMutation(internal.tokens.checkControlToken, { sent });
  },
);
