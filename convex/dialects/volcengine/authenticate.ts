import { internal } from "../../_generated/api";
import type { ActionCtx } from "../../_generated/server";
import { readBytes } from "../../http/body";
import type { Principal } from "../../model/accessKeys";
import { sameSecret, sha256, unseal } from "../../model/secrets";
import { refuse } from "./errors";
import { parseSignature, type Signature, signaturesOf, timeOf } from "./signature";

const WINDOW_MS = 15 * 60_000;
const SERVICE = "rtc";
const NO_MATCH =
  "The request signature we calculated does not match the signature you provided. Check your Secret Access Key and signing method.";

/** A request whose signature is right. */
export interface Authenticated {
  principal: Principal;
  region: string;
  body: Uint8Array<ArrayBuffer>;
  /** The same for a request that is sent again, by its client or by somebody who has caught it. */
  repetitionKey: string;
}

/** Who has sent a request. Fails with what is missing or wrong in its signature. */
export async function authenticate(ctx: ActionCtx, request: Request): Promise<Authenticated> {
  const { pathname, searchParams, host } = new URL(request.url);
  const query = [...searchParams];
  const header = (name: string) => request.headers.get(name) ?? (name === "host" ? host : null);
  const signature = requireSignature(query, header);
  requireFresh(signature);
  const { accessKeyId, region } = signature;
  // First of all, so that nobody's megabytes are read for a stranger.
  const key = await ctx.runQuery(internal.credentials.find, { accessKeyId });
  if (!key) refuse("InvalidAccessKey", "The accesskey included in the request is invalid.");
  const [body, secret] = await Promise.all([readBytes(request), unseal(key.sealedSecret)]);
  const bodyHash = await sha256(body);
  const saidHash = signature.signsBody ? request.headers.get("X-Content-Sha256") : null;
  const signed = { method: request.method, path: pathname, query, header, bodyHash };
  const possible = await signaturesOf(signed, signature, secret);
  const fits = possible.map((one) => sameSecret(one, signature.signature)).includes(true);
  if (!fits || (saidHash !== null && saidHash !== bodyHash)) refuse("SignatureDoesNotMatch", NO_MATCH);
  return {
    principal: { tenantId: key.tenantId, accessKeyId },
    region,
    body,
    repetitionKey: await sha256(signature.signature),
  };
}

function requireSignature(
  query: readonly [string, string][],
  header: (name: string) => string | null,
): Signature {
  const parsed = parseSignature({ query, header });
  if (!("problem" in parsed)) return parsed;
  switch (parsed.problem) {
    case "none":
      return refuse("MissingAuthenticationToken", "Request is missing Authentication Token.");
    case "unsigned":
      return refuse("MissingSignature", "The request is missing signature.");
    case "missing":
      return refuse("MissingRequestInfo", `The request is missing ${parsed.what} information.`);
    case "malformedTime":
      return refuse("InvalidTimestamp", "X-Date has to be a time like 20201230T081805Z.");
    case "unsignedQuery":
      return refuse("SignatureDoesNotMatch", NO_MATCH);
  }
}

function requireFresh({ time, date, service }: Signature): void {
  if (service !== SERVICE) refuse("ServiceNotFound", `This service is not found; it is ${SERVICE}.`);
  if (Math.abs(Date.now() - timeOf(time)) > WINDOW_MS) {
    refuse("InvalidTimestamp", "The signature of the request is expired.");
  }
  if (!time.startsWith(`${date}T`)) refuse("SignatureDoesNotMatch", NO_MATCH);
}
