import { DeveloperError } from "../transaction/errors";
import type { Json } from "../values/json";

/** On whose behalf a function runs. It decides what `ctx.auth` says and whether internal functions may be called. */
export type Caller =
  | { readonly kind: "anonymous" }
  /** `identity`: what `getUserIdentity()` gives. */
  | { readonly kind: "user"; readonly identity: Json }
  /** The holder of the admin key, who may act as a user. */
  | { readonly kind: "admin"; readonly actingAs?: Json }
  /** An HTTP request whose `Authorization` could not be used: that is an error only if a function asks for the identity. */
  | { readonly kind: "unidentified"; readonly problem: string };

export const ANONYMOUS: Caller = { kind: "anonymous" };

/** What `ctx.auth.getUserIdentity()` gives. */
export function identityOf(caller: Caller): Json {
  switch (caller.kind) {
    case "anonymous":
      return null;
    case "user":
      return caller.identity;
    case "admin":
      return caller.actingAs ?? null;
    case "unidentified":
      throw new DeveloperError(caller.problem);
  }
}
