import type * as z from "zod";
import type { ErrorCode } from "./errors";

/** The objects that Convex takes as arguments. */
export type ArgsSchema = z.ZodObject<z.core.$ZodLooseShape, z.core.$strict>;

export type EndpointKind = "query" | "mutation" | "action";

/** One public function, as the registered function, the HTTP router and the OpenAPI document all see it. */
export interface Endpoint<
  Kind extends EndpointKind = EndpointKind,
  Args extends ArgsSchema = ArgsSchema,
  Returns extends z.ZodType = z.ZodType,
> {
  /** Module and function, like `meetings/lifecycle/createMeeting`: the URL is `/api/run/` and this. */
  readonly path: string;
  readonly kind: Kind;
  readonly tag: "Meetings" | "Users" | "Guests" | "Tenants" | "Webhooks";
  /** Who may call it at all: known and active users, whoever has a good token, or anyone with what the arguments hold. */
  readonly access: "user" | "identity" | "anyone";
  /** What it does and who may call it, for people. */
  readonly description: string;
  readonly args: Args;
  readonly returns: Returns;
  /** Codes which the function itself gives, besides those of `commonErrors`. */
  readonly errors: readonly ErrorCode[];
  readonly example: { readonly args: z.input<Args>; readonly value: unknown };
}

/** Types one entry of the table of endpoints. */
export function endpoint<const Kind extends EndpointKind, Args extends ArgsSchema, Returns extends z.ZodType>(
  entry: Endpoint<Kind, Args, Returns>,
): Endpoint<Kind, Args, Returns> {
  return entry;
}

/** The name by which Convex knows the function: `meetings/lifecycle:createMeeting`. */
export function functionName({ path }: Pick<Endpoint, "path">): string {
  const slash = path.lastIndexOf("/");
  return `${path.slice(0, slash)}:${path.slice(slash + 1)}`;
}

/** Codes which a function gives whatever it does: for what its kind, its access and its being called by HTTP imply. */
export function commonErrors({ kind, access }: Pick<Endpoint, "kind" | "access">): ErrorCode[] {
  return [
    "INVALID_ARGUMENT",
    ...(access === "anyone" ? [] : (["UNAUTHENTICATED"] as const)),
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "INTERNAL_ERROR",
    ...(access === "user" ? (["USER_NOT_PROVISIONED", "USER_DEACTIVATED"] as const) : []),
    ...(kind === "query" ? [] : (["RATE_LIMITED", "NOT_CONFIGURED"] as const)),
  ];
}
