/** What answers look like, by what the client is and by how much it may know. */
import { ConvexClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { ServerOptions } from "../../embedded/index";
import { startServer, temporaryFolder, type TestServer } from "../temporaryServer";
import { FIXTURE_APP } from "./harness";

let server: TestServer;

afterEach(async () => {
  await server.close();
  expect(server.faults).toEqual([]);
});

async function start(options: Partial<ServerOptions> = {}): Promise<void> {
  server = await startServer({ appFolder: FIXTURE_APP, ...options });
}

async function post(route: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(server.url + route, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return response.json();
}

const CLEAN = { code: "MINE", big: "7" };
const ENCODED = { code: "MINE", big: { $integer: "BwAAAAAAAAA=" } };

describe("a request without a format", () => {
  const call = (headers: Record<string, string>, format?: string) =>
    post("/api/query", { path: "misbehave:throwConvexError", args: {}, ...(format && { format }) }, headers);

  test.each([
    ["npm-1.48.0", CLEAN],
    ["npm-1.4.1", CLEAN],
    ["npm-1.4.0", ENCODED],
    ["npm-0.19.2", ENCODED],
    ["npm-cli-1.0.0", ENCODED],
    ["npm-cli-1.48.0-alpha.0", CLEAN],
    ["python-0.4.9", ENCODED],
    ["python-convex-0.5.0", CLEAN],
    ["rust-0.1.0", CLEAN],
    ["somebody-else", CLEAN],
  ])("of the client %s is answered as that client expects", async (client, errorData) => {
    await start();
    expect(await call({ "Convex-Client": client })).toMatchObject({ errorData });
    expect(await call({ "Convex-Client": client }, "convex_encoded_json")).toMatchObject({
      errorData: ENCODED,
    });
    const byPath = await post(
      "/api/run/misbehave/throwConvexError",
      { args: {} },
      { "Convex-Client": client },
    );
    expect(byPath).toMatchObject({ errorData: CLEAN });
  });

  test("of a client whose header says no version is refused", async () => {
    await start();
    expect(await call({ "Convex-Client": "npm" })).toMatchObject({ code: "InvalidClientVersion" });
    expect(await call({ "Convex-Client": "npm" }, "json")).toMatchObject({ code: "InvalidClientVersion" });
  });
});

describe("with logs redacted", () => {
  const ONLY_TITLE = /^\[Request ID: [0-9a-f]{16}\] Server Error$/;

  test("HTTP clients get neither messages nor logs, but the data of a ConvexError", async () => {
    await start({ redactLogsToClient: true });
    const failed = await post("/api/mutation", { path: "misbehave:throwError", args: {} });
    expect(failed).toEqual({ status: "error", errorMessage: expect.stringMatching(ONLY_TITLE) as string });
    const refused = await post("/api/query", { path: "misbehave:throwConvexError", args: {} });
    expect(refused).toMatchObject({
      errorMessage: expect.stringMatching(ONLY_TITLE) as string,
      errorData: CLEAN,
    });
    const logged = await post("/api/mutation", { path: "outside:logLines", args: {} });
    expect(logged).toEqual({ status: "success", value: null });
    const response = await fetch(`${server.siteUrl}/fail`);
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ code: expect.stringMatching(ONLY_TITLE) as string });
  });

  test("clients on a socket get neither, for queries and for mutations", async () => {
    await start({ redactLogsToClient: true });
    const options = { webSocketConstructor: WebSocket as never, logger: false as const };
    const client = new ConvexClient(server.url, options);
    const query = makeFunctionReference<"query", Record<string, never>>("misbehave:throwConvexError");
    const failed = await new Promise<Error & { data?: unknown }>((resolve) => {
      client.onUpdate(query, {}, () => undefined, resolve);
    });
    expect(failed.data).toEqual({ code: "MINE", big: 7n });
    expect(failed.message).not.toContain("Uncaught");
    const mutation = makeFunctionReference<"mutation", Record<string, never>>("misbehave:throwError");
    const thrown = await client.mutation(mutation, {}).catch((error: unknown) => error as Error);
    expect(thrown).toMatchObject({ message: expect.stringContaining("Server Error") as string });
    expect(JSON.stringify(thrown)).not.toContain("on purpose");
    await client.close();
  });

  test("a token of a foreign issuer is refused without naming the providers that are configured", async () => {
    const appFolder = await temporaryFolder();
    await writeFile(
      path.join(appFolder, "auth.config.ts"),
      `export default { providers: [{ domain: "https://issuer.test", applicationID: "app-1" }] };`,
    );
    const claims = Buffer.from(JSON.stringify({ iss: "https://foreign.test" })).toString("base64url");
    const refusal = async (options: Partial<ServerOptions>) => {
      await start({ appFolder, ...options });
      return post("/api/query", { path: "a:b", args: {} }, { Authorization: `Bearer e30.${claims}.x` });
    };
    expect(await refusal({})).toMatchObject({
      message: expect.stringContaining("OIDC(domain=https://issuer.test, app_id=app-1)") as string,
    });
    await server.close();
    expect(await refusal({ redactLogsToClient: true })).toEqual({
      code: "NoAuthProvider",
      message: "No auth provider found matching the given token",
    });
  });
});
