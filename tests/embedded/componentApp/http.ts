import { httpActionGeneric, httpRouter } from "convex/server";

const http = httpRouter();
http.route({ path: "/own", method: "GET", handler: httpActionGeneric(async () => new Response("the app")) });
http.route({
  path: "/ledger/own",
  method: "GET",
  handler: httpActionGeneric(async () => new Response("the app, exactly")),
});
export default http;
