/**
 * What is said to LiveKit and its clients. Actions of their own, so that its SDK, which is large, is loaded by these alone.
 */
import { zodOutputToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import {
  AccessToken,
  type ClaimGrants,
  RoomServiceClient,
  TokenVerifier,
  TrackSource,
} from "livekit-server-sdk";
import * as z from "zod";
import { internal } from "./_generated/api";
import { type ActionCtx, internalAction } from "./_generated/server";
import {
  type Connection,
  connection,
  type JoinTokenCheck,
  joinTokenCheck,
  type TokenBearer,
} from "./contract/tokens";
import { effectiveCapabilities, type MediaSource, mediaPermission } from "./model/capabilities";
import { fail } from "./model/errors";
import { type LivekitSettings, livekitSettings, requireLivekit } from "./model/mediaSync";
import { newToken, readToken } from "./model/opaqueTokens";
import { derivedSecret } from "./model/secrets";
import type { Issued } from "./model/tokens";

/** A join token is used at once, or refreshed. Whoever is in the room stays there. */
const JOIN_TOKEN_SECONDS = 10 * 60;

/** A token that no media server verifies by itself dies with what it says of its bearer, so that it may last for long. */
const OWN_TOKEN_SECONDS = 24 * 60 * 60;
const OWN_ISSUER = "connvo-meetings";

/** Convex schedules nothing further ahead than five years: where a block is longer, it is looked at again by then. */
const MAX_AHEAD_MS = 365 * 24 * 60 * 60_000;

/** With growing pauses, for about six minutes in all. */
const MAX_RETRIES = 5;

/** A participant's attribute in the room, and in the token: which of the tokens this is. */
const VERSION_ATTRIBUTE = "tokenVersion";

const trackSources: Record<MediaSource, TrackSource> = {
  microphone: TrackSource.MICROPHONE,
  camera: TrackSource.CAMERA,
  screen_share: TrackSource.SCREEN_SHARE,
  screen_share_audio: TrackSource.SCREEN_SHARE_AUDIO,
};

/** `evict`: whose token was worth more than what they may do now; they have to come in again. */
const personToSync = v.object({ participantId: v.id("meetingParticipants"), evict: v.boolean() });

/** `getMeetingConnectionInfo` for a user. */
export const connect = internalAction({
  args: { userId: v.id("users"), meetingId: v.string(), participantId: v.optional(v.string()) },
  returns: zodOutputToConvex(connection),
  handler: async (ctx, args): Promise<Connection> => {
    const settings = requireLivekit();
    const { text, kept } = await newToken();
    const issued: Issued = await ctx.runMutation(internal.tokens.openRefreshToken, { ...args, kept });
    return connectionFor(settings, issued, text);
  },
});

/** `refreshJoinToken`. */
export const reconnect = internalAction({
  args: { refreshToken: v.string() },
  returns: zodOutputToConvex(connection),
  handler: async (ctx, { refreshToken }): Promise<Connection> => {
    const settings = requireLivekit();
    const sent = (await readToken(refreshToken)) ?? fail("TOKEN_INVALID", "This is no refresh token");
    const { text, kept } = await newToken(sent.key);
    const outcome = await ctx.runMutation(internal.tokens.rotateRefreshToken, { sent, next: kept });
    if ("refused" in outcome) {
      fail(outcome.refused, "This refresh token is used, revoked or expired: ask for new connection info");
    }
    return connectionFor(settings, outcome.issued, text);
  },
});

/** Join tokens for applications that hand them on; null for who may not come into the room now. */
export const joinTokens = internalAction({
  args: { meetingId: v.id("meetings"), participantIds: v.array(v.id("meetingParticipants")) },
  returns: v.array(v.union(v.string(), v.null())),
  handler: async (ctx, args): Promise<(string | null)[]> => {
    const [key, bearers]: [SigningKey, (TokenBearer | null)[]] = await Promise.all([
      signingKey(),
      ctx.runQuery(internal.tokens.admitted, args),
    ]);
    return Promise.all(bearers.map(async (bearer) => bearer && sign(key, bearer)));
  },
});

/** `checkJoinToken`. */
export const check = internalAction({
  args: { token: v.string() },
  returns: zodOutputToConvex(joinTokenCheck),
  handler: async (ctx, { token }): Promise<JoinTokenCheck> => {
    const claims = await verify(await signingKey(), token);
    if (typeof claims === "string") return { active: false, reason: claims };
    const { meetingId, participantId, tokenVersion, expiresAt } = claims;
    await ctx.runMutation(internal.callers.admitBearer, { participantId });
    const [bearer]: (TokenBearer | null)[] = await ctx.runQuery(internal.tokens.bearers, {
      meetingId,
      participantIds: [participantId],
    });
    if (bearer?.tokenVersion !== tokenVersion) return { active: false, reason: "revoked" };
    return {
      active: true,
      meetingId: bearer.meetingId,
      participantId: bearer.participantId,
      role: bearer.role,
      capabilities: effectiveCapabilities(bearer, Date.now()),
      expiresAt,
    };
  },
});

/** Tells the media server what people may do in a room, and which of them have no business there any more. */
export const syncPeople = internalAction({
  args: { meetingId: v.id("meetings"), people: v.array(personToSync), attempt: v.number() },
  returns: v.null(),
  handler: async (ctx, { meetingId, people, attempt }) => {
    const settings = livekitSettings();
    if (!settings) return null;
    const client = roomService(settings);
    const bearers: (TokenBearer | null)[] = await ctx.runQuery(internal.tokens.bearers, {
      meetingId,
      participantIds: people.map(({ participantId }) => participantId),
    });
    const outcomes = await Promise.all(
      people.map(async ({ participantId, evict }, index) => {
        const bearer = evict ? null : (bearers[index] ?? null);
        return attemptCall(() => syncPerson(client, meetingId, participantId, bearer));
      }),
    );
    const failed = people.filter((_, index) => !outcomes[index]);
    if (failed.length > 0 && attempt < MAX_RETRIES) {
      const next = { meetingId, people: failed, attempt: attempt + 1 };
      await ctx.scheduler.runAfter(retryDelayMs(attempt), internal.livekit.syncPeople, next);
    }
    if (attempt === 0) await syncAfterBlocks(ctx, bearers);
    return null;
  },
});

/** Ends the room of a meeting that is over, which disconnects whoever is in it. */
export const closeRoom = internalAction({
  args: { meetingId: v.id("meetings"), attempt: v.number() },
  returns: v.null(),
  handler: async (ctx, { meetingId, attempt }) => {
    const settings = livekitSettings();
    if (!settings) return null;
    const isDone = await attemptCall(() => roomService(settings).deleteRoom(meetingId));
    if (!isDone && attempt < MAX_RETRIES) {
      const next = { meetingId, attempt: attempt + 1 };
      await ctx.scheduler.runAfter(retryDelayMs(attempt), internal.livekit.closeRoom, next);
    }
    return null;
  },
});

async function connectionFor(
  settings: LivekitSettings,
  { bearer, expiresAt }: Issued,
  refreshToken: string,
): Promise<Connection> {
  const expiresAtSeconds = Math.floor(Date.now() / 1000) + JOIN_TOKEN_SECONDS;
  return {
    success: true,
    videoProvider: "livekit",
    connectionInfo: {
      roomId: bearer.meetingId,
      url: settings.url,
      participantId: bearer.participantId,
      streamToken: await sign({ ...settings, seconds: JOIN_TOKEN_SECONDS }, bearer),
      streamTokenExpiresAt: expiresAtSeconds * 1000,
      refreshToken,
      refreshTokenExpiresAt: expiresAt,
    },
    role: bearer.role,
    capabilities: effectiveCapabilities(bearer, Date.now()),
  };
}

/** With what join tokens are signed. */
type SigningKey = Pick<LivekitSettings, "apiKey" | "apiSecret"> & { seconds: number };

/** The key of the media server, or while there is none one of our own. */
async function signingKey(): Promise<SigningKey> {
  const settings = livekitSettings();
  if (settings) return { ...settings, seconds: JOIN_TOKEN_SECONDS };
  const apiSecret = await derivedSecret("join tokens");
  return { apiKey: OWN_ISSUER, apiSecret, seconds: OWN_TOKEN_SECONDS };
}

function sign({ apiKey, apiSecret, seconds }: SigningKey, bearer: TokenBearer): Promise<string> {
  const token = new AccessToken(apiKey, apiSecret, {
    identity: bearer.participantId,
    ttl: seconds,
    attributes: attributesOf(bearer),
    ...(bearer.name !== undefined && { name: bearer.name }),
  });
  token.addGrant({
    roomJoin: true,
    room: bearer.meetingId,
    roomAdmin: bearer.role === "host",
    canUpdateOwnMetadata: false,
    ...permissionOf(bearer),
  });
  return token.toJwt();
}

/** What a join token says, or why it is none. */
async function verify({ apiKey, apiSecret }: SigningKey, token: string) {
  let claims: ClaimGrants;
  try {
    claims = await new TokenVerifier(apiKey, apiSecret).verify(token, 0);
  } catch (error) {
    return isExpiry(error) ? "expired" : "invalid";
  }
  const ours = joinClaims.safeParse(claims).data;
  if (!ours) return "invalid";
  return {
    meetingId: ours.video.room,
    participantId: ours.sub,
    tokenVersion: Number(ours.attributes[VERSION_ATTRIBUTE]),
    expiresAt: ours.exp * 1000,
  };
}

/** The same key signs other tokens too, like those for the media server's own API. */
const joinClaims = z.object({
  sub: z.string(),
  exp: z.number(),
  video: z.object({ roomJoin: z.literal(true), room: z.string() }),
  attributes: z.object({ [VERSION_ATTRIBUTE]: z.string() }),
});

function isExpiry(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_JWT_EXPIRED";
}

/** Those of the application, and ours, which nobody can set in another way. */
function attributesOf({ role, tokenVersion, attributes }: TokenBearer): Record<string, string> {
  return { ...attributes, role, [VERSION_ATTRIBUTE]: String(tokenVersion) };
}

function permissionOf(bearer: TokenBearer) {
  const { sources, canSubscribe, canPublishData } = mediaPermission(bearer, Date.now());
  return {
    canPublish: sources.length > 0,
    canPublishSources: sources.map((source) => trackSources[source]),
    canSubscribe,
    canPublishData,
  };
}

function roomService({ url, apiKey, apiSecret }: LivekitSettings): RoomServiceClient {
  return new RoomServiceClient(url, apiKey, apiSecret);
}

async function syncPerson(
  client: RoomServiceClient,
  room: string,
  identity: string,
  bearer: TokenBearer | null,
): Promise<void> {
  if (bearer === null) {
    // Tokens from before are refused, where the media server keeps track of that; a host who is one no longer may come in with
    // a new one, which they could not for a minute if the time were left to the server.
    const revokeTokenTs = BigInt(Math.floor(Date.now() / 1000));
    await client.removeParticipant(room, identity, { revokeTokenTs });
  } else {
    const permission = permissionOf(bearer);
    await client.updateParticipant(room, identity, { permission, attributes: attributesOf(bearer) });
  }
}

/** Whether the media server has done what was asked, or has nothing to do it to. The errors' texts are not ours to log. */
async function attemptCall(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    const status = error instanceof Error && "status" in error ? error.status : "no answer";
    if (status === 404) return true;
    console.warn(`The media server could not be told of a change: ${String(status)}`);
    return false;
  }
}

function retryDelayMs(attempt: number): number {
  return 1000 * 4 ** attempt;
}

/** Who is blocked may send again when the block is over, which is no change that anybody makes. */
async function syncAfterBlocks(ctx: ActionCtx, bearers: readonly (TokenBearer | null)[]): Promise<void> {
  const now = Date.now();
  for (const bearer of bearers) {
    const { blockedUntil = 0 } = bearer ?? {};
    if (!bearer || blockedUntil <= now) continue;
    const { meetingId, participantId } = bearer;
    const people = [{ participantId, evict: false }];
    const at = Math.min(blockedUntil, now + MAX_AHEAD_MS);
    await ctx.scheduler.runAt(at, internal.livekit.syncPeople, { meetingId, people, attempt: 0 });
  }
}
