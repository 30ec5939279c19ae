/** Folders and servers in this process that are there for one test file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { createServer, type Server, type ServerOptions } from "../embedded/index";

const cleanUps: (() => unknown)[] = [];

afterAll(async () => {
  for (let cleanUp = cleanUps.pop(); cleanUp; cleanUp = cleanUps.pop()) await cleanUp();
});

/** Has something done when the test file is done, before what was asked for earlier. */
export function atEnd(cleanUp: () => unknown): void {
  cleanUps.push(cleanUp);
}

/** A folder that is removed after the tests. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "connvo-meetings-"));
  atEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

export async function newDataFolder(): Promise<string> {
  return path.join(await temporaryFolder(), "data");
}

export type TestServer = Server & {
  readonly dataFolder: string;
  /** What the runtime says is its own fault: a test expects nothing. */
  readonly faults: readonly unknown[];
};

/** A server on ports that the system chooses, with a data folder of its own unless one is given. Closed after the tests. */
export async function startServer(options: Partial<ServerOptions>): Promise<TestServer> {
  const faults: unknown[] = [];
  const dataFolder = options.dataFolder ?? (await newDataFolder());
  const server = await createServer({
    port: 0,
    sitePort: 0,
    onFault: (error) => faults.push(error),
    ...options,
    dataFolder,
  });
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= server.close());
  atEnd(close);
  return { ...server, close, dataFolder, faults };
}
