import { httpActionGeneric, httpRouter, makeFunctionReference } from "convex/server";

const texts = makeFunctionReference<"query", Record<string, never>, string[]>("entries:texts");

const http = httpRouter();
http.route({
  path: "/texts",
  method: "GET",
  handler: httpActionGeneric(async (ctx) => {
    const identity = await ctx.auth.getUserIdentity();
    return Response.json({ identity, texts: await ctx.runQuery(texts, {}) });
  }),
});
http.route({
  pathPrefix: "/echo/",
  method: "GET",
  handler: httpActionGeneric(async (_ctx, request) => new Response(new URL(request.url).pathname)),
});
export default http;
