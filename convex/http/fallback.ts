import { type HttpRouter, ROUTABLE_HTTP_METHODS } from "convex/server";
import { httpAction } from "../_generated/server";
import { withCors } from "./cors";
import { failureResponse } from "./responses";

/** Answers whatever `router` has no exact route for: 405 if it is the method that is wrong, else 404. */
export function fallback(router: HttpRouter) {
  return httpAction(async (_, request) => {
    const { pathname } = new URL(request.url);
    const allowed = ROUTABLE_HTTP_METHODS.filter(
      (method) => router.lookup(pathname, method)?.[2] === pathname,
    );
    return withCors(request, allowed.length > 0 ? wrongMethod(allowed) : unknownPath(pathname));
  });
}

function wrongMethod(allowed: readonly string[]): Response {
  const Allow = allowed.join(", ");
  return failureResponse({ code: "METHOD_NOT_ALLOWED", message: `This path takes ${Allow} only` }, { Allow });
}

function unknownPath(pathname: string): Response {
  return pathname.startsWith("/api/run/")
    ? failureResponse({ code: "FUNCTION_NOT_FOUND", message: "There is no such function" })
    : failureResponse({ code: "NOT_FOUND", message: "There is nothing at this path" });
}
