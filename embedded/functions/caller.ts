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

/** What `ctx.auth.getUserIdentity()` gives, as JSON text. */
export function identityTextOf(caller: Caller): string {
  const identity = identityOf(caller);
  if (typeof identity !== "object" || identity === null) return JSON.stringify(identity);
  let text = identityTexts.get(identity);
  if (text === undefined) identityTexts.set(identity, (text = JSON.stringify(identity)));
  return text;
}

/** Those who sign in with one token have one identity, which never changes. */
const identityTexts = new WeakMap<object, string>();

function identityOf(caller: Caller): Json {
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
