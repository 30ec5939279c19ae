import { DeveloperError } from "../transaction/errors";
import type { Json } from "../values/json";
import type { LoadedComponent } from "./loadedApp";

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

/** On whose behalf a function runs that another one calls: who signs in, signs in to the app and not to its components. */
export function callerWithin(caller: Caller, from: LoadedComponent, to: LoadedComponent): Caller {
  const isAdminItself = caller.kind === "admin" && caller.actingAs === undefined;
  return isAdminItself || (from.isRoot && to.isRoot) ? caller : ANONYMOUS;
}

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
