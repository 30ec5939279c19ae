import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { loadDevelopmentIssuer, type DevelopmentIssuer } from "../embedded/auth/developmentIssuer";
import { checkAnswers } from "./answers";
import { Generator } from "./load/generator";
import { prepare, type Running, type Subject, type SubjectName } from "./subjects";
import { HOST, type World, type WorldIds } from "./world";
import { readIds } from "./worldFiles";

/** A server on data of its own, which are thrown away when it stops. */
export type Session = Running & {
  readonly folder: string;
  readonly ids: WorldIds;
  /** When its first process was started, as `performance.now()` counts. */
  readonly startedAt: number;
};

/** Longer than any run. */
const TOKEN_SECONDS = 86_400;

/** Where everything is measured: the folder for all data, whose tokens are good, and the load generator. */
export class Laboratory {
  readonly generator = new Generator();
  readonly #folder: string;
  readonly #issuer: DevelopmentIssuer;
  readonly #templates = new Map<string, Promise<string>>();
  readonly #checked = new Set<SubjectName>();
  readonly #sessions = new Set<Promise<Session>>();
  readonly #writing = new Set<Promise<string>>();
  #isClosed = false;
  #copies = 0;
  #hostToken = "";

  private constructor(folder: string, issuer: DevelopmentIssuer) {
    this.#folder = folder;
    this.#issuer = issuer;
  }

  static async open(parent: string): Promise<Laboratory> {
    const folder = await mkdtemp(path.join(parent, "bench-"));
    // PostgreSQL's own user has to get through.
    await chmod(folder, 0o711);
    const laboratory = new Laboratory(folder, await loadDevelopmentIssuer(path.join(folder, "issuer")));
    laboratory.#hostToken = await laboratory.sign(HOST);
    return laboratory;
  }

  /** A token of the host of all meetings. */
  get hostToken(): string {
    return this.#hostToken;
  }

  sign(subject: string): Promise<string> {
    return this.#issuer.sign({ subject, expiresInSeconds: TOKEN_SECONDS });
  }

  /** A copy of a subject's data with the world in it, on which a server can be started. The world is made once. */
  copy(subject: Subject, world: World): Promise<string> {
    this.#requireOpen();
    const copy = this.#copy(subject, world);
    this.#writing.add(copy);
    return copy;
  }

  async #copy(subject: Subject, world: World): Promise<string> {
    const folder = path.join(this.#folder, `run-${++this.#copies}`);
    // Other than fs.cp it keeps the owner, on which PostgreSQL insists.
    await run("cp", ["-Rp", await this.#template(subject, world), folder]);
    // What was copied must not be written back while something is measured.
    await run("sync", []);
    return folder;
  }

  /** Starts a server on a folder that {@link copy} has given. */
  start(subject: Subject, folder: string): Promise<Session> {
    this.#requireOpen();
    const session = this.#start(subject, folder);
    this.#sessions.add(session);
    return session;
  }

  /** Runs `work` with a server on a copy of the world that gives the right answers. */
  async withServer<T>(subject: Subject, world: World, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.start(subject, await this.copy(subject, world));
    try {
      await this.check(subject, session);
      return await work(session);
    } finally {
      await session.stop();
    }
  }

  /** Once for each subject: throws unless it gives the answers that all must give. Limits know no rules. */
  async check({ name, kind }: Subject, { url, ids }: Session): Promise<void> {
    if (kind === "limit" || this.#checked.has(name)) return;
    this.#checked.add(name);
    await checkAnswers(url, ids, this.hostToken, (subject) => this.sign(subject));
  }

  /** Stops what is still running and removes all data. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.generator.close();
    // What is being written would come back after it was removed.
    await Promise.allSettled(this.#writing);
    // One that is being started, too; one that could not be started has nothing to stop.
    for (const session of await Promise.allSettled(this.#sessions)) {
      if (session.status === "fulfilled") await session.value.stop();
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #start(subject: Subject, folder: string): Promise<Session> {
    // Before the start, so that nothing is measured but the server. A mock has none before it.
    const known = await readIds(folder).catch(() => null);
    const startedAt = performance.now();
    const running = await subject.start(folder, this.#issuer.environment);
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    };
    const ids = known ?? (await readIds(folder));
    return { ...running, folder, ids, startedAt, stop: () => (stopped ??= stop()) };
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new Error("The laboratory is closed");
  }

  #template(subject: Subject, world: World): Promise<string> {
    const { users, meetings, stored } = world;
    const name = `${subject.name}-${users}-${meetings}-${stored}`;
    let made = this.#templates.get(name);
    if (!made) {
      const folder = path.join(this.#folder, name);
      made = prepare(subject, folder, world).then(() => folder);
      this.#templates.set(name, made);
    }
    return made;
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const [code] = (await once(spawn(command, args, { stdio: "inherit" }), "exit")) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
}
