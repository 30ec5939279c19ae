/** The server that `npm start` runs: the backend in `convex/` on the embedded runtime, with its documentation page. */
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_DATA_FOLDER, main } from "../embedded/main";
import type { Server } from "../embedded/index";

const project = fileURLToPath(new URL("..", import.meta.url));
const swaggerUi = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

/** Runs it until it is stopped. Resolves when it is up. `onFault` is told of what neither app nor client is to blame for. */
export function runServer(argv: readonly string[], onFault?: (error: unknown) => void): Promise<void> {
  return main(argv, {
    appFolder: path.join(project, "convex"),
    cacheFolder: path.join(project, "node_modules/.cache/connvo-meetings"),
    mounts: [{ path: "/docs/", folders: [path.join(project, "openapi/page"), swaggerUi] }],
    announce,
    onFault,
  });
}

function announce(server: Server, { dataFolder }: { dataFolder: string }): string[] {
  const lines = [
    "Connvo Meetings is running.",
    `  Functions      ${server.url}`,
    `  HTTP routes    ${server.siteUrl}`,
    `  Documentation  ${server.siteUrl}/docs/`,
    `  Data           ${path.resolve(dataFolder)}`,
    "",
  ];
  if (server.developmentIssuer === null)
    return [...lines, "Callers sign in with WorkOS (WORKOS_CLIENT_ID is set)."];
  const data = dataFolder === DEFAULT_DATA_FOLDER ? "" : ` --data ${shellQuote(path.resolve(dataFolder))}`;
  return [
    ...lines,
    "Development sign-in: anyone who can read the data folder can be anyone, because WORKOS_CLIENT_ID is not set.",
    "Create a meeting as host@example.com:",
    "",
    `curl -s ${server.siteUrl}/api/run/meetings/lifecycle/createMeeting \\`,
    `  -H "Authorization: Bearer $(npm run --silent token -- host@example.com${data})" \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '{"args": {"title": "First meeting", "meetingType": "small-group"}}'`,
    "",
  ];
}

function shellQuote(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
