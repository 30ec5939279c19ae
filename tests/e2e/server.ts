/** Starts the product for a test, in this process or in one of its own, and stops it when the test file is done. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { connect } from "../../embedded/connect";
import { userIdForEmail, type Server, type ServerOptions } from "../../embedded/index";
import {
  atEnd,
  newDataFolder,
  startServer as startAnyServer,
  temporaryFolder,
  type TestServer,
} from "../temporaryServer";

export { newDataFolder, temporaryFolder, type TestServer };

export const PROJECT_FOLDER = fileURLToPath(new URL("../..", import.meta.url));
export const APP_FOLDER = path.join(PROJECT_FOLDER, "convex");
/** What runs the product in a process of its own. */
export const START = path.join(PROJECT_FOLDER, "tests/e2e/start.ts");

/** Tests say what is allowed how often themselves. */
const NO_RATE_LIMIT = { RATE_LIMIT_PER_SECOND: "0" };

/** The product in this process, on ports that the system chooses. */
export function startServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  return startAnyServer({
    appFolder: APP_FOLDER,
    ...options,
    environment: { ...NO_RATE_LIMIT, ...options.environment },
  });
}

/** The environment of a child process: nothing of a deployment's settings comes from whoever runs the tests. */
export function childEnvironment(changes: NodeJS.Dict<string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(WORKOS_|VITEST|NODE_ENV$|PORT$|SITE_PORT$|DATA_FOLDER$|BIND_HOST$|ADMIN_KEY$|SERVE_PUSHED$|ALLOWED_)/.test(
        name,
      ),
  );
  return { ...Object.fromEntries(kept), ...NO_RATE_LIMIT, ...changes };
}

export type Ended = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export class TestProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<Ended>;
  readonly #output: string[] = [];

  constructor(command: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    // A process group of its own, so that what npm starts is stopped too.
    const child = spawn(command, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const errors: string[] = [];
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#output.push(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    this.#child = child;
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) =>
        resolve({ code, signal, stdout: this.#output.join(""), stderr: errors.join("") }),
      );
    });
    this.#ended.catch(() => undefined);
    atEnd(() => this.#stop());
  }

  /** What it has printed so far. */
  get stdout(): string {
    return this.#output.join("");
  }

  get ended(): Promise<Ended> {
    return this.#ended;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills it as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }

  /** Waits until a whole line of the output matches, and gives the match; fails when the process ends before. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.stdout.split("\n").slice(0, -1)) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      const more = once(this.#child.stdout, "data").then(() => null);
      const ended = await Promise.race([more, this.#ended]);
      if (ended) throw new Error(`Ended without a line like ${pattern}: ${ended.stdout}${ended.stderr}`);
    }
  }

  async #stop(): Promise<void> {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#ended.catch(() => undefined);
  }
}

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd = PROJECT_FOLDER, env = {} }: { cwd?: string; env?: NodeJS.Dict<string> } = {},
): Promise<Ended> {
  return new TestProcess(command, args, { cwd, env: childEnvironment(env) }).ended;
}

/** Where a process sees other files than this one: what starts a command there, and its root folder as seen from here. */
export type Place = { readonly enter: readonly string[]; readonly root: string };

export type SpawnOptions = {
  /** As seen from its place. */
  dataFolder?: string;
  place?: Place;
  args?: readonly string[];
  env?: NodeJS.Dict<string>;
  cwd?: string;
};

/** Starts the product in a process of its own, whether it comes up or not. */
export async function spawnStart(options: SpawnOptions = {}): Promise<TestProcess> {
  const { dataFolder, place, args = [], env = {}, cwd = await temporaryFolder() } = options;
  const flags = ["--port", "0", "--site-port", "0", ...(dataFolder ? ["--data", dataFolder] : []), ...args];
  const node = [process.execPath, "--import", import.meta.resolve("tsx"), START, ...flags];
  const [command = "", ...rest] = [...(place?.enter ?? []), ...node];
  return new TestProcess(command, rest, { cwd, env: childEnvironment(env) });
}

export type SpawnedServer = Server & { readonly process: TestProcess; readonly dataFolder: string };

/** The product in a process of its own, up and running. `close` ends it as Ctrl-C does. */
export async function spawnServer(options: SpawnOptions = {}): Promise<SpawnedServer> {
  const dataFolder = options.dataFolder ?? (await newDataFolder());
  const child = await spawnStart({ ...options, dataFolder });
  const [, url = ""] = await child.line(/^ {2}Functions +(http:\S+)$/);
  const [, siteUrl = ""] = await child.line(/^ {2}HTTP routes +(http:\S+)$/);
  // Gives the development issuer and the admin key of the data folder.
  const seenFolder = (options.place?.root ?? "") + dataFolder;
  const server = await connect({ appFolder: APP_FOLDER, dataFolder: seenFolder, environment: {} });
  if (server.url !== url) throw new Error(`${dataFolder} is served at ${server.url}, not at ${url}`);
  const close = async () => {
    child.signal("SIGINT");
    await child.ended;
  };
  return { ...server, url, siteUrl, close, process: child, dataFolder };
}

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the answer, or its text when it is not JSON. */
  readonly body: unknown;
};

type RequestOptions = {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it is, all else as JSON. */
  readonly body?: unknown;
};

/** Sends one HTTP request: POST when there is a body, unless told otherwise. */
export async function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { body, token } = options;
  const response = await fetch(url, {
    method: options.method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parseIfJson(text) };
}

function parseIfJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Calls a public function by its path, like `meetings/lifecycle/createMeeting`, on one of the two origins. */
export function run(origin: string, functionPath: string, args: unknown, token?: string): Promise<Answer> {
  return request(`${origin}/api/run/${functionPath}`, { body: { args }, token });
}

/** The value of an answer that must be a success. */
export function valueOf<T>({ status, body }: Answer): T {
  const { status: outcome, value } = body as { status?: string; value: T };
  if (status === 200 && outcome === "success") return value;
  throw new Error(`Expected success, got ${status}: ${JSON.stringify(body).slice(0, 500)}`);
}

/** Calls a function that must succeed, on the site origin. */
export async function call<T>(
  server: Server,
  token: string,
  functionPath: string,
  args: unknown,
): Promise<T> {
  return valueOf<T>(await run(server.siteUrl, functionPath, args, token));
}

export type Person = { readonly token: string; readonly userId: string; readonly workosUserId: string };

/** A development token for somebody who need not be a user. */
export function tokenFor(
  server: Pick<Server, "developmentIssuer">,
  email: string,
  claims: { organizationId?: string; role?: string; expiresInSeconds?: number } = {},
): Promise<string> {
  if (server.developmentIssuer === null) throw new Error("This server has no development issuer");
  return server.developmentIssuer.sign({ subject: userIdForEmail(email), email, ...claims });
}

/** Signs a person in and up. */
export async function signIn(
  server: Server,
  name: string,
  claims: { organizationId?: string; role?: string } = {},
): Promise<Person> {
  const email = `${name}@example.com`;
  const token = await tokenFor(server, email, claims);
  const workosUserId = userIdForEmail(email);
  const userId = await call<string>(server, token, "users/mutations/upsertUser", {
    workosUserId,
    email,
    displayName: name,
  });
  return { token, userId, workosUserId };
}

/** Signs many people in, some at once. */
export async function signInAll(server: Server, count: number, prefix = "person"): Promise<Person[]> {
  const people: Person[] = [];
  for (let i = 0; i < count; i += SIGN_INS_AT_ONCE) {
    const names = Array.from(
      { length: Math.min(SIGN_INS_AT_ONCE, count - i) },
      (_, k) => `${prefix}${i + k}`,
    );
    people.push(...(await Promise.all(names.map((name) => signIn(server, name)))));
  }
  return people;
}

const SIGN_INS_AT_ONCE = 50;

/** Creates a meeting and gives its id. */
export async function newMeeting(server: Server, host: Person, args: object = {}): Promise<string> {
  const created = await call<{ meetingId: string }>(server, host.token, "meetings/lifecycle/createMeeting", {
    title: "Planning",
    ...args,
  });
  return created.meetingId;
}

export type Participant = { _id: string; userId: string; role: string; presence: string };

/** Everybody in a meeting, read page by page. */
export async function listParticipants(
  server: Server,
  host: Person,
  meetingId: string,
): Promise<Participant[]> {
  const rows: Participant[] = [];
  for (let cursor: string | null = null; ;) {
    const result: { page: Participant[]; isDone: boolean; continueCursor: string } = await call(
      server,
      host.token,
      "meetings/queries/listMeetingParticipants",
      { meetingId, paginationOpts: { numItems: 500, cursor } },
    );
    rows.push(...result.page);
    if (result.isDone) return rows;
    cursor = result.continueCursor;
  }
}

export type Meeting = { participantCount: number; maxParticipants: number; state: string; title: string };

export function getMeeting(server: Server, host: Person, meetingId: string): Promise<Meeting> {
  return call<Meeting>(server, host.token, "meetings/queries/getMeeting", { meetingId });
}
