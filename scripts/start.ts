/** `npm start`: the backend in `convex/` on the embedded runtime, with its documentation page. */
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_DATA_FOLDER, main } from "../embedded/main";
import type { Server } from "../embedded/index";

const project = fileURLToPath(new URL("..", import.meta.url));
const swaggerUi = path.dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

await main(process.argv.slice(2), {
  appFolder: path.join(project, "convex"),
  mounts: [{ path: "/docs/", folders: [path.join(project, "openapi/page"), swaggerUi] }],
  announce,
});

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
