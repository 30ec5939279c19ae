/** The command line: what the flags, the environment and the signals of a server process mean. */
import { readFileSync } from "node:fs";
import { parseArgs, parseEnv } from "node:util";
import {
  createServer,
  StartError,
  type BuildProgress,
  type Server,
  type ServerOptions,
  type StaticMount,
} from "./index";

/** Where the data lies when nobody says otherwise. */
export const DEFAULT_DATA_FOLDER = ".data";

const USAGE = `Options (in brackets: the environment variable of the same meaning)
  --port <number>        port of the function API, default 3210          [PORT]
  --site-port <number>   port of the HTTP routes, default 3211           [SITE_PORT]
  --data <folder>        where everything durable lies, default .data    [DATA_FOLDER]
  --host <address>       address to bind, default 127.0.0.1              [BIND_HOST]
  --admin-key <key>      the admin key, default a random one             [ADMIN_KEY]
  --pushed               serve what was pushed last (npx convex deploy),
                         not the project's own folder                    [SERVE_PUSHED=1]
  --redact-logs-to-client
                         tell clients no messages of errors, no logs    [REDACT_LOGS_TO_CLIENT=1]
  --help                 this text`;

const PUSHED_OVER_FOLDER =
  "Pushed. It is served until the project's own folder changes or the server starts anew; with --pushed it stays.";

export type CommandLine = {
  readonly appFolder: string;
  /** See {@link ServerOptions.cacheFolder}. */
  readonly cacheFolder: string;
  readonly mounts?: readonly StaticMount[];
  readonly onFault?: ServerOptions["onFault"] | undefined;
  /** What to print once the server is ready. */
  readonly announce: (server: Server, settings: { dataFolder: string }) => readonly string[];
};

/** Runs a server until SIGINT or SIGTERM. Prints one line and exits with 1 when it can't start. */
export async function main(argv: readonly string[], command: CommandLine): Promise<void> {
  const settings = readSettings(argv);
  if (settings === "help") {
    console.log(USAGE);
    return;
  }
  const { servesPushed, ...options } = settings;
  let server: Server;
  try {
    server = await createServer({
      ...options,
      ...(servesPushed ? {} : { appFolder: command.appFolder, cacheFolder: command.cacheFolder }),
      mounts: command.mounts ?? [],
      ...(command.onFault ? { onFault: command.onFault } : {}),
      onLog: (path, lines) => {
        for (const line of lines) console.log(`${path} ${line}`);
      },
      onPush: () => console.log(servesPushed ? "Pushed." : PUSHED_OVER_FOLDER),
      onBuild: (progress) => console.log(describeBuild(progress)),
      onReload: ({ problem }) =>
        console.log(problem === null ? "Reloaded." : `${problem} The last good version goes on.`),
    });
  } catch (error) {
    if (error instanceof StartError) fail(error.message);
    throw error;
  }
  const onFault = command.onFault ?? ((error: unknown) => console.error(error));
  // The app may forget to await what fails: that ends no server.
  process.on("unhandledRejection", (reason) => onFault(unawaited(reason)));
  let closing = false;
  const stop = () => {
    // A second signal does not wait for anybody.
    if (closing) process.exit(1);
    closing = true;
    void server.close().then(
      () => process.exit(0),
      (error: unknown) => fail(`Stopped as by a crash: ${(error as Error).message}. No answer is lost.`),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  // Last: whoever reads that it runs may stop it.
  for (const line of command.announce(server, settings)) console.log(line);
}

/** Says where a promise was rejected and not why: the message may quote personal data. */
function unawaited(reason: unknown): Error {
  const error = new Error("A promise was rejected that nobody awaits");
  const { stack } = (reason ?? {}) as { stack?: unknown };
  const frames = typeof stack === "string" ? stack.split("\n").filter((line) => /^\s+at /.test(line)) : [];
  error.stack = [String(error), ...frames].join("\n");
  return error;
}

function describeBuild({ indexes, indexesDone, documentsDone, documentsTotal }: BuildProgress): string {
  const what =
    indexes > indexesDone
      ? `Building ${indexes - indexesDone} indexes`
      : "Checking documents against the schema";
  const of = documentsTotal === null ? "" : ` of ${documentsTotal}`;
  return `${what}: ${documentsDone}${of} documents done.`;
}

/** The environment of the deployment: the process's own, and what `.env.local` adds to it. */
export function deploymentEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...readEnvFile(), ...process.env })) {
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

function readEnvFile(): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(".env.local", "utf8"));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return {};
    return fail(`.env.local can't be read: ${(error as Error).message}`);
  }
}

type Settings = Omit<ServerOptions, "appFolder" | "cacheFolder" | "mounts"> & {
  readonly servesPushed: boolean;
};

function readSettings(argv: readonly string[]): Settings | "help" {
  const flags = readFlags(argv);
  if (flags.help) return "help";
  const environment = deploymentEnvironment();
  // An empty variable is as good as none.
  const port = readPort("--port", flags.port ?? (environment["PORT"] || undefined));
  const sitePort = readPort("--site-port", flags["site-port"] ?? (environment["SITE_PORT"] || undefined));
  const adminKey = flags["admin-key"] ?? (environment["ADMIN_KEY"] || undefined);
  const host = flags.host ?? (environment["BIND_HOST"] || undefined);
  const redactLogsToClient = flags["redact-logs-to-client"] ?? environment["REDACT_LOGS_TO_CLIENT"] === "1";
  return {
    redactLogsToClient,
    dataFolder: flags.data ?? (environment["DATA_FOLDER"] || DEFAULT_DATA_FOLDER),
    environment,
    servesPushed: flags.pushed ?? environment["SERVE_PUSHED"] === "1",
    ...(port === undefined ? {} : { port }),
    ...(sitePort === undefined ? {} : { sitePort }),
    ...(host === undefined ? {} : { host }),
    ...(adminKey === undefined ? {} : { adminKey }),
  };
}

function readFlags(argv: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: "string" },
        "site-port": { type: "string" },
        data: { type: "string" },
        host: { type: "string" },
        "admin-key": { type: "string" },
        pushed: { type: "boolean" },
        "redact-logs-to-client": { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    return fail(`${(error as Error).message.split("\n")[0]}\n${USAGE}`);
  }
}

function readPort(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  return fail(`${name} must be a number from 0 to 65535, not ${JSON.stringify(text)}`);
}

/** Ends the process with one line on standard error. */
export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
