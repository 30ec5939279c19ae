import { ROUTABLE_HTTP_METHODS, httpRouter } from "convex/server";
import { httpAction } from "./_generated/server";
import { endpoints } from "./contract/endpoints";
import { CHALK_PREFIX, chalk } from "./dialects/chalk/http";
import { CHIME_PREFIX, chime } from "./dialects/chime/http";
import { HUAWEI_PREFIXES, huawei } from "./dialects/huawei/http";
import { VOLCENGINE_PREFIX, volcengine } from "./dialects/volcengine/http";
import { TWIRP_PREFIX, livekit } from "./dialects/livekit/http";
import { preflightResponse, withCors } from "./http/cors";
import { documents } from "./http/documents";
import { endpointAction } from "./http/endpoint";
import { fallback } from "./http/fallback";
import { json } from "./http/responses";
import { workosWebhook } from "./http/workosWebhook";

const http = httpRouter();

for (const endpoint of endpoints) {
  http.route({ method: "POST", path: `/api/run/${endpoint.path}`, handler: endpointAction(endpoint) });
}

http.route({ method: "POST", path: "/webhooks/workos", handler: workosWebhook });

http.route({
  method: "GET",
  path: "/health",
  handler: httpAction(async (_, request) => withCors(request, json({ status: "ok" }))),
});

for (const [path, document] of Object.entries(documents)) {
  http.route({
    method: "GET",
    path,
    handler: httpAction(async (_, request) => withCors(request, json(document))),
  });
}

// Other systems' wires. Volcengine's clients call the root, or a path of its own.
mount(CHIME_PREFIX, chime);
HUAWEI_PREFIXES.forEach((prefix) => mount(prefix, huawei));
http.route({ method: "POST", path: "/", handler: volcengine });
mount(VOLCENGINE_PREFIX, volcengine);
mount(CHALK_PREFIX, chalk);
mount(TWIRP_PREFIX, livekit);

const preflight = httpAction(async (_, request) => preflightResponse(request));
for (const method of ROUTABLE_HTTP_METHODS) {
  http.route({ method, pathPrefix: "/", handler: method === "OPTIONS" ? preflight : fallback(http) });
}

/** Gives a dialect all that is below a path, except what browsers ask before they send credentials. */
function mount(pathPrefix: string, handler: typeof chime): void {
  for (const method of ROUTABLE_HTTP_METHODS) {
    if (method !== "OPTIONS") http.route({ method, pathPrefix, handler });
  }
}

export default http;
