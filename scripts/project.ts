/** What all commands of this project share. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { connect } from "../embedded/connect";
import { StartError, userIdForEmail, type Server } from "../embedded/index";
import { DEFAULT_DATA_FOLDER, deploymentEnvironment, fail } from "../embedded/main";

export const PROJECT_FOLDER = fileURLToPath(new URL("..", import.meta.url));
export const APP_FOLDER = path.join(PROJECT_FOLDER, "convex");

/** The words and flags of a command. `--data` is there for all of them. Ends the process when they are not understood. */
export function readCommand(usage: string, flags: readonly string[] = []) {
  const options = Object.fromEntries([...flags, "data"].map((flag) => [flag, { type: "string" as const }]));
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const dataFolder = values["data"] ?? (deploymentEnvironment()["DATA_FOLDER"] || DEFAULT_DATA_FOLDER);
    return { values, positionals, dataFolder };
  } catch (error) {
    return fail(`${(error as Error).message.split("\n")[0]}\n${usage}`);
  }
}

/** The deployment on a data folder, running or started for this command. */
export async function connectTo(dataFolder: string): Promise<Server> {
  try {
    return await connect({ appFolder: APP_FOLDER, dataFolder, environment: deploymentEnvironment() });
  } catch (error) {
    if (error instanceof StartError) fail(error.message);
    throw error;
  }
}

const REAL_SIGN_IN =
  "WORKOS_CLIENT_ID is set, so only WorkOS can sign tokens. Unset it to use development tokens.";

/** Ends the process when people sign in with WorkOS itself. */
export function requireDevelopment(): void {
  if (deploymentEnvironment()["WORKOS_CLIENT_ID"]) fail(REAL_SIGN_IN);
}

export type Person = { readonly email: string; readonly organizationId?: string; readonly role?: string };

/** A development token for a person, who is created as a user if they are not one yet. */
export async function signIn(
  server: Server,
  { email, ...claims }: Person,
): Promise<{ token: string; userId: string }> {
  if (server.developmentIssuer === null) {
    return fail(REAL_SIGN_IN);
  }
  const workosUserId = userIdForEmail(email);
  const token = await server.developmentIssuer.sign({ subject: workosUserId, email, ...claims });
  const userId = await call<string>(server, token, "users/mutations/upsertUser", { workosUserId, email });
  return { token, userId };
}

/** Calls a function over HTTP. Throws what the server says went wrong. */
export async function call<T>(server: Server, token: string, path: string, args: object): Promise<T> {
  const response = await fetch(`${server.url}/api/run/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ args }),
  });
  const body = (await response.json()) as
    | { status: "success"; value: T }
    | { status: "error"; errorMessage: string }
    | { code: string; message: string };
  if (!("status" in body)) throw new Error(`${path}: ${body.code}: ${body.message}`);
  if (body.status === "error") throw new Error(`${path}: ${body.errorMessage}`);
  return body.value;
}
