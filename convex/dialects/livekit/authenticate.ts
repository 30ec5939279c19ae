import { decodeJwt, errors, jwtVerify } from "jose";
import * as z from "zod";
import { internal } from "../../_generated/api";
import type { ActionCtx } from "../../_generated/server";
import type { Principal } from "../../model/accessKeys";
import { unseal } from "../../model/secrets";
import { refuse } from "./errors";
import { type VideoGrant, videoGrant } from "./wire";

const MAX_TOKEN_LENGTH = 8192;
const LEEWAY_SECONDS = 60;

const claims = z.object({ video: videoGrant });

/** A request whose token is right, and what that lets its bearer do. */
export interface Authenticated {
  principal: Principal;
  grant: VideoGrant;
}

/**
 * Who has sent a request, by a token that is signed with an access key of a tenant. The key of the deployment's media server is none:
 * it belongs to no tenant.
 */
export async function authenticate(ctx: ActionCtx, { headers }: Request): Promise<Authenticated> {
  const [, token = ""] = /^bearer (\S+)$/i.exec(headers.get("Authorization") ?? "") ?? [];
  if (token === "" || token.length > MAX_TOKEN_LENGTH)
    refuse("unauthenticated", "missing or malformed bearer token");
  const accessKeyId = issuerOf(token);
  const key: { tenantId: Principal["tenantId"]; sealedSecret: string } | null = await ctx.runQuery(
    internal.credentials.find,
    { accessKeyId },
  );
  if (!key) refuse("unauthenticated", "invalid API key");
  const secret = new TextEncoder().encode(await unseal(key.sealedSecret));
  const { video } = await verified(token, secret);
  return { principal: { tenantId: key.tenantId, accessKeyId }, grant: video };
}

function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? "";
  } catch {
    return refuse("unauthenticated", "invalid token");
  }
}

async function verified(token: string, secret: Uint8Array): Promise<z.output<typeof claims>> {
  try {
    const { payload } = await jwtVerify(token, secret, {
      algorithms: ["HS256"],
      requiredClaims: ["exp"],
      clockTolerance: LEEWAY_SECONDS,
    });
    const { data } = claims.safeParse(payload);
    return data ?? refuse("permission_denied", "the token grants nothing");
  } catch (error) {
    if (error instanceof errors.JWTExpired) refuse("unauthenticated", "token has expired");
    if (error instanceof errors.JOSEError) refuse("unauthenticated", "invalid token");
    throw error;
  }
}
