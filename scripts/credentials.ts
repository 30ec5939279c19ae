/** `npm run --silent credentials -- --tenant <name>`: prints a new set of credentials of a tenant as JSON, and nothing else. */
import { randomBytes } from "node:crypto";
import { readAdminKey, type Server } from "../embedded/index";
import { deploymentEnvironment, fail } from "../embedded/main";
import { connectTo, readCommand } from "./project";

const USAGE =
  "Usage: npm run --silent credentials -- --tenant <name> [--port <port>] [--data <folder>] [--label <text>]";

const NO_ANSWER = "The server gave no answer";

const { values, positionals, dataFolder } = readCommand(USAGE, ["tenant", "port", "label"]);
const { tenant, port, label } = values;
if (tenant === undefined || positionals.length > 0) fail(USAGE);

const server = port === undefined ? await connectTo(dataFolder) : await runningAt(port);

if (!deploymentEnvironment()["WORKOS_CLIENT_ID"] && !(await hasCredentialsKey())) {
  // A development server makes do with a key of its own, which it keeps with its data.
  const changes = [{ name: "CREDENTIALS_KEY", value: randomBytes(32).toString("base64") }];
  await post("/api/update_environment_variables", { changes });
}
const args = { tenant, ...(label !== undefined && { label }) };
const answer = await post("/api/function", { path: "credentials:issue", args, format: "json" });
await server.close();
if (answer.status !== "success")
  fail(answer.errorData?.message ?? answer.errorMessage ?? answer.message ?? NO_ANSWER);
console.log(JSON.stringify(answer.value));

interface Answer {
  status?: "success" | "error";
  value?: unknown;
  errorMessage?: string;
  errorData?: { message?: string };
  message?: string;
}

async function hasCredentialsKey(): Promise<boolean> {
  const path = "_system/cli/queryEnvironmentVariables:get";
  const answer = await post("/api/query", { path, args: { name: "CREDENTIALS_KEY" }, format: "json" });
  if (answer.status !== "success") fail(answer.errorMessage ?? answer.message ?? NO_ANSWER);
  return answer.value !== null;
}

async function post(path: string, body: object): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Convex ${server.adminKey}` },
    body: JSON.stringify(body),
  }).catch(() => fail(`Nothing answers at ${server.url}: is npm start running?`));
  const text = await response.text();
  return text === "" ? {} : (JSON.parse(text) as Answer);
}

/** The server on a port of this machine; its admin key is in the data folder. */
async function runningAt(given: string): Promise<Pick<Server, "url" | "adminKey" | "close">> {
  if (!/^\d{1,5}$/.test(given)) fail(USAGE);
  const key = await readAdminKey(dataFolder).catch((error: Error) => fail(error.message));
  const adminKey = key ?? fail(`There is no admin key in ${dataFolder} yet: the first npm start makes one.`);
  return { url: `http://127.0.0.1:${given}`, adminKey, close: () => Promise.resolve() };
}
