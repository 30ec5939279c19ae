import { internal } from "../../_generated/api";
import type { ActionCtx } from "../../_generated/server";
import { readBytes } from "../../http/body";
import type { Principal } from "../../model/accessKeys";
import { sameSecret, sha256, unseal } from "../../model/secrets";
import { refuse } from "./errors";
import { parseAuthorization, signatureOf } from "./sigV4";

const MINUTE_MS = 60_000;
const WINDOW_MINUTES = 5;

/** A request whose signature is right. */
export interface Authenticated {
  principal: Principal;
  body: Uint8Array<ArrayBuffer>;
  /** The same for a request that is sent again, by its client or by somebody who has caught it. */
  repetitionKey: string;
}

/** Who has sent a request. UnauthorizedException, IncompleteSignatureException, InvalidSignatureException. */
export async function authenticate(ctx: ActionCtx, request: Request): Promise<Authenticated> {
  const header = request.headers.get("Authorization");
  if (header === null) refuse("UnauthorizedException", "Missing Authentication Token");
  const authorization = parseAuthorization(header);
  if ("problem" in authorization) refuse("IncompleteSignatureException", authorization.problem);
  requireFresh(request.headers.get("X-Amz-Date"), authorization.date);

  const { accessKeyId } = authorization;
  // First of all, so that nobody's megabytes are read for a stranger.
  const key = await ctx.runQuery(internal.credentials.find, { accessKeyId });
  if (!key) refuse("UnauthorizedException", "The security token included in the request is invalid.");
  const [body, secret] = await Promise.all([readBytes(request), unseal(key.sealedSecret)]);

  const payloadHash = await sha256(body);
  const { pathname, search, host } = new URL(request.url);
  const signature = await signatureOf(
    {
      method: request.method,
      path: pathname,
      query: search.slice(1),
      header: (name) => request.headers.get(name) ?? impliedHeader(name, { host, body }),
      payloadHash,
    },
    authorization,
    secret,
  );
  const statedHash = request.headers.get("X-Amz-Content-Sha256") ?? payloadHash;
  if (!sameSecret(signature, authorization.signature) || statedHash !== payloadHash) {
    refuse(
      "InvalidSignatureException",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
    );
  }
  const invocation =
    authorization.signedHeaders.includes(INVOCATION_ID) && request.headers.get(INVOCATION_ID);
  return {
    principal: { tenantId: key.tenantId, accessKeyId },
    body,
    repetitionKey: await sha256(
      invocation
        ? JSON.stringify([invocation, request.method, pathname, search, payloadHash])
        : JSON.stringify([signature]),
    ),
  };
}

/** By this an AWS SDK names a request, however often it sends it, each time with another signature. */
const INVOCATION_ID = "amz-sdk-invocation-id";

/** A server in front of this one may have taken these. */
function impliedHeader(name: string, { host, body }: { host: string; body: Uint8Array }): string {
  if (name === "host") return host;
  return name === "content-length" ? String(body.byteLength) : "";
}

/** Refuses what was signed more than five minutes ago, or will be. */
function requireFresh(amzDate: string | null, scopeDate: string): void {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(amzDate ?? "") ?? [];
  const signedAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (amzDate === null || Number.isNaN(signedAt)) {
    refuse(
      "IncompleteSignatureException",
      "Authorization header requires existence of an 'X-Amz-Date' header.",
    );
  }
  if (!amzDate.startsWith(scopeDate)) {
    refuse("InvalidSignatureException", "Date in Credential scope does not match the date of X-Amz-Date.");
  }
  const ageMs = Date.now() - signedAt;
  if (ageMs > WINDOW_MINUTES * MINUTE_MS) {
    refuse(
      "InvalidSignatureException",
      `Signature expired: ${amzDate} is more than ${WINDOW_MINUTES} minutes ago.`,
    );
  }
  if (ageMs < -WINDOW_MINUTES * MINUTE_MS) {
    refuse(
      "InvalidSignatureException",
      `Signature not yet current: ${amzDate} is more than ${WINDOW_MINUTES} minutes ahead.`,
    );
  }
}
