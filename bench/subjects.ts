/** What is measured: the embedded runtime, the peers that an engineer would write instead, and two limits. */
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { childPids, startProcess, type ServerProcess } from "./serverProcess";
import { seedEmbedded } from "./seedEmbedded";
import { findPostgres, postgresVersion, startCluster } from "./peers/fastifyPg/cluster";
import { seedCluster } from "./peers/fastifyPg/seed";
import { loadDriver } from "./peers/honoSqlite/database";
import { seedSqlite } from "./peers/honoSqlite/seed";
import { peerIds } from "./peers/shared/worldKeys";
import { MEETING_SIZE, type World } from "./world";
import { writeIds, writeWorld } from "./worldFiles";

/** A running server and all that belongs to it. */
export type Running = {
  readonly url: string;
  /** The server's processes, and those of its database. */
  pids(): Promise<number[]>;
  stop(): Promise<void>;
};

export type Subject = {
  readonly name: SubjectName;
  /** Limits know no rules, so they give no reasons and no counts. */
  readonly kind: "ours" | "peer" | "limit";
  /** The most participants that can be stored beforehand; no number when there is no bound. */
  readonly mostStored?: number;
  /** Why it can't be measured here, or null. */
  missing(): Promise<string | null>;
  /** Fills a new folder with the world and its ids. */
  seed(folder: string, world: World): Promise<void>;
  /** Starts a server on a folder. `environment`: whose tokens are good. */
  start(folder: string, environment: NodeJS.Dict<string>): Promise<Running>;
};

export const SUBJECT_NAMES = [
  "embedded",
  "fastify-pg",
  "hono-sqlite",
  "convex-test",
  "append-log",
  "echo",
] as const;
export type SubjectName = (typeof SUBJECT_NAMES)[number];

const PROJECT_FOLDER = fileURLToPath(new URL("..", import.meta.url));
const DATA = "data";

const notMissing = () => Promise.resolve(null);

const embedded: Subject = {
  name: "embedded",
  kind: "ours",
  missing: notMissing,
  seed: async (folder, world) => writeIds(folder, await seedEmbedded(path.join(folder, DATA), world)),
  start: async (folder, environment) => {
    const flags = ["--port", "0", "--site-port", "0", "--data", path.join(folder, DATA)];
    const server = await startProcess(PROJECT_FOLDER, [...(await startArgs()), ...flags], {
      ...environment,
      RATE_LIMIT_PER_SECOND: "0",
    });
    return single(server);
  },
};

const fastifyPg: Subject = {
  name: "fastify-pg",
  kind: "peer",
  missing: async () =>
    (await findPostgres()) === null ? "PostgreSQL (initdb, postgres) is not installed here" : null,
  seed: async (folder, world) => {
    await seedCluster(path.join(folder, DATA), world);
    await writeIds(folder, peerIds(world));
  },
  start: async (folder, environment) => {
    const cluster = await startCluster(path.join(folder, DATA));
    try {
      const server = await startPeer("fastifyPg", cluster.socketFolder, environment);
      return {
        url: server.url,
        pids: async () => [server.pid, cluster.pid, ...(await childPids(cluster.pid))],
        stop: async () => {
          await server.stop();
          await cluster.stop();
        },
      };
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  },
};

const honoSqlite: Subject = {
  name: "hono-sqlite",
  kind: "peer",
  missing: () =>
    loadDriver().then(
      () => null,
      (error: unknown) => (error as Error).message,
    ),
  seed: async (folder, world) => {
    await seedSqlite(path.join(folder, DATA), world);
    await writeIds(folder, peerIds(world));
  },
  start: async (folder, environment) =>
    single(await startPeer("honoSqlite", path.join(folder, DATA), environment)),
};

/** It keeps everything in memory: the server fills itself, from the description of the world. */
const convexTest: Subject = {
  name: "convex-test",
  kind: "peer",
  mostStored: 0,
  missing: notMissing,
  seed: () => Promise.resolve(),
  start: async (folder, environment) =>
    single(await startPeer("convexTest", folder, { ...environment, RATE_LIMIT_PER_SECOND: "0" })),
};

const appendLog = limit("append-log", "appendLog");
const echo = limit("echo", "echo");

const SUBJECTS: readonly Subject[] = [embedded, fastifyPg, honoSqlite, convexTest, appendLog, echo];

export function subjectNamed(name: SubjectName): Subject {
  const found = SUBJECTS.find((subject) => subject.name === name);
  if (!found) throw new Error(`There is no subject ${name}`);
  return found;
}

/** Makes a folder with the world in it, from which servers are started on copies. */
export async function prepare(subject: Subject, folder: string, world: World): Promise<void> {
  if (world.stored > 0 && world.users < MEETING_SIZE) throw new Error("Nobody can be in a meeting twice");
  // PostgreSQL's user has to get through.
  await mkdir(folder, { recursive: true, mode: 0o711 });
  await writeWorld(folder, world);
  await subject.seed(folder, world);
}

/** What stands for subjects here, where that depends on what is installed. */
export async function versionsOf(
  subjects: readonly Subject[],
): Promise<Partial<Record<SubjectName, string>>> {
  const versions: Partial<Record<SubjectName, string>> = {};
  for (const { name } of subjects) {
    if (name === "hono-sqlite") versions[name] = (await loadDriver()).name;
    if (name === "fastify-pg") versions[name] = await postgresVersion();
  }
  return versions;
}

function limit(name: "append-log" | "echo", folder: string): Subject {
  return {
    name,
    kind: "limit",
    mostStored: 0,
    missing: notMissing,
    seed: (data, world) => writeIds(data, peerIds(world)),
    start: async (data, environment) => single(await startPeer(folder, data, environment)),
  };
}

/** What `npm start` runs Node with. */
async function startArgs(): Promise<string[]> {
  const text = await readFile(path.join(PROJECT_FOLDER, "package.json"), "utf8");
  const { scripts } = JSON.parse(text) as { scripts: { start: string } };
  return scripts.start.split(" ").slice(1);
}

function startPeer(peer: string, data: string, environment: NodeJS.Dict<string>): Promise<ServerProcess> {
  return startProcess(PROJECT_FOLDER, ["--import", "tsx", `bench/peers/${peer}/server.ts`], {
    ...environment,
    NODE_ENV: "production",
    BENCH_DATA: data,
  });
}

function single({ url, pid, stop }: ServerProcess): Running {
  return { url, pids: () => Promise.resolve([pid]), stop };
}
