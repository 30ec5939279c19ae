/** A PostgreSQL server of one's own in a folder, reached by a Unix socket in that folder. */
import { execFile, spawn } from "node:child_process";
import { chown, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

/** Debian and its like keep each version's programs here. */
const DEBIAN = "/usr/lib/postgresql";

/**
 * Full durability, which is PostgreSQL's default, and room in memory for all of the data. Plans are made once, and by index:
 * one that suits small tables, or reads a whole meeting, would stay in use while they grow.
 */
const CONFIGURATION = `
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 20
shared_buffers = 1GB
max_wal_size = 8GB
checkpoint_timeout = 15min
jit = off
enable_seqscan = off
plan_cache_mode = force_generic_plan
log_min_messages = fatal
`;

export const DATABASE = "postgres";
export const DATABASE_USER = "bench";

export type Cluster = {
  /** The folder of the socket, for `host` of a connection. */
  readonly socketFolder: string;
  /** The process id of the first of the server's processes. */
  readonly pid: number;
  stop(): Promise<void>;
};

/** The folder of `initdb` and `postgres`, or null where PostgreSQL is not installed. */
export async function findPostgres(): Promise<string | null> {
  const versions = await readdir(DEBIAN).catch((): string[] => []);
  const folders = [
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => path.join(DEBIAN, version, "bin")),
    ...(process.env["PATH"] ?? "").split(path.delimiter),
  ];
  for (const folder of folders) {
    const files = await readdir(folder).catch((): string[] => []);
    if (files.includes("initdb") && files.includes("postgres")) return folder;
  }
  return null;
}

/** The version of the installed server, as it says itself. */
export async function postgresVersion(): Promise<string> {
  const folder = await findPostgres();
  const { stdout } = await promisify(execFile)(path.join(folder ?? "", "postgres"), ["--version"]);
  return stdout.trim();
}

/** Makes an empty cluster in a folder that is not there yet. */
export async function createCluster(folder: string): Promise<void> {
  const owner = await clusterOwner();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (owner) await chown(folder, owner.uid, owner.gid);
  const options = ["--username", DATABASE_USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"];
  await run("initdb", ["--pgdata", folder, ...options, "--no-instructions"]);
  await writeFile(path.join(folder, "postgresql.auto.conf"), CONFIGURATION);
}

/** Starts the server of a cluster and waits until it takes connections. */
export async function startCluster(folder: string): Promise<Cluster> {
  const start = ["--pgdata", folder, "--wait", "--silent", "--log", path.join(folder, "server.log")];
  await run("pg_ctl", ["start", ...start, "--options", `-k ${folder}`]);
  const pid = Number((await readFile(path.join(folder, "postmaster.pid"), "utf8")).split("\n")[0]);
  const stop = () => run("pg_ctl", ["stop", "--pgdata", folder, "--wait", "--silent", "--mode", "fast"]);
  return { socketFolder: folder, pid, stop };
}

/** PostgreSQL refuses to run as root: then its own user runs it, or nobody. */
async function clusterOwner(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const found = lines.find(([name]) => name === "postgres") ?? lines.find(([name]) => name === "nobody");
  if (!found) throw new Error("There is no user to run PostgreSQL as");
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const folder = await findPostgres();
  if (folder === null) throw new Error("PostgreSQL is not installed");
  const owner = await clusterOwner();
  const child = spawn(path.join(folder, program), args, {
    ...owner,
    cwd: "/",
    // Not a pipe, which the server would keep open when pg_ctl has ended.
    stdio: ["ignore", "ignore", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`)),
    );
  });
}
