/** A server on a disk that is to fail, and those who go on writing to it. */
import type { Disk } from "./disk";
import {
  getMeeting,
  request,
  run,
  signIn,
  spawnServer,
  spawnStart,
  valueOf,
  type Person,
  type SpawnedServer,
} from "./server";

export const CREATE = "meetings/lifecycle/createMeeting";
const NOT_WRITTEN = "The database could not write to disk. Nothing of this call was stored.";
const IN_DOUBT =
  "The database could not write to disk, nor take back what it had begun. Nothing of this call is there now, but all of it may be after a restart.";
const CALLERS = 20;
/** Makes much to write of few calls. */
const DESCRIPTION = "d".repeat(4900);

type Meeting = { _id: string; title: string };

/** A server on a disk, and what it has answered to those who create meetings, by title. */
export class Trial {
  readonly created = new Map<string, string>();
  readonly refused = new Set<string>();
  /** What has been refused with the word that it may be there after a restart. */
  readonly #inDoubt = new Set<string>();
  #calls = 0;

  private constructor(
    readonly disk: Disk,
    public server: SpawnedServer,
    readonly host: Person,
  ) {}

  static async start(disk: Disk): Promise<Trial> {
    const server = await spawnOn(disk);
    return new Trial(disk, server, await signIn(server, "host"));
  }

  /** Creates a meeting, or is refused with one of the two messages for that; tells which. */
  async create(): Promise<"created" | "refused"> {
    const title = `Meeting ${this.#calls++}`;
    const args = { title, description: DESCRIPTION };
    const answer = await run(this.server.url, CREATE, args, this.host.token);
    if (answer.status === 500) {
      const { message } = answer.body as { message: string };
      if (message === IN_DOUBT) this.#inDoubt.add(title);
      else if (message !== NOT_WRITTEN) throw new Error(message);
      this.refused.add(title);
      return "refused";
    }
    this.created.set(title, valueOf<{ meetingId: string }>(answer).meetingId);
    return "created";
  }

  /** Many create meetings at once until so many have been refused. */
  async createUntilRefused(times: number): Promise<void> {
    const enough = this.refused.size + times;
    const caller = async () => {
      while (this.refused.size < enough) await this.create();
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
  }

  /** Creates a few meetings, of which none may be refused. */
  async createSome(): Promise<void> {
    for (let i = 0; i < 5; i++) {
      if ((await this.create()) === "refused")
        throw new Error("The disk takes writes, and the server does not");
    }
  }

  /** What is wrong with what users find; nothing if it is what was created. */
  async violations(): Promise<string[]> {
    const meetings = new Map((await this.#meetings()).map(({ title, _id }) => [title, _id]));
    const found: string[] = [];
    for (const [title, id] of this.created) {
      if (meetings.get(title) !== id) found.push(`${title} is lost, which was answered`);
      meetings.delete(title);
    }
    for (const title of meetings.keys()) found.push(`${title} is there, which was refused`);
    const [title, id = ""] = [...this.created].at(-1) ?? [];
    if ((await getMeeting(this.server, this.host, id)).title !== title) found.push(`${title} is another`);
    return found;
  }

  /** From then on it is settled what was in doubt. */
  async restart(): Promise<void> {
    this.server = await spawnOn(this.disk);
    for (const { title, _id } of await this.#meetings())
      if (this.#inDoubt.has(title)) this.created.set(title, _id);
    this.#inDoubt.clear();
  }

  async stop(): Promise<{ code: number | null; stderr: string }> {
    await this.server.close();
    return this.server.process.ended;
  }

  get pid(): number {
    return this.server.process.pid ?? NaN;
  }

  async #meetings(): Promise<Meeting[]> {
    const meetings: Meeting[] = [];
    for (let cursor: string | null = null; ;) {
      const paginationOpts = { numItems: 500, cursor };
      const answer = await request(`${this.server.url}/api/query`, {
        headers: { Authorization: `Convex ${this.server.adminKey}` },
        body: { path: "_system/cli/tableData", args: { table: "meetings", order: "asc", paginationOpts } },
      });
      type Page = { page: Meeting[]; isDone: boolean; continueCursor: string };
      const { page, isDone, continueCursor }: Page = valueOf<Page>(answer);
      meetings.push(...page);
      if (isDone) return meetings;
      cursor = continueCursor;
    }
  }
}

function spawnOn(disk: Disk): Promise<SpawnedServer> {
  return spawnServer({ place: disk, dataFolder: disk.dataFolder });
}

/** The one line with which the command refuses to start on a disk, before it ends with 1. */
export async function refusedStart(disk: Disk): Promise<string> {
  const start = await spawnStart({ place: disk, dataFolder: disk.dataFolder });
  const { code, stdout, stderr } = await start.ended;
  if (code !== 1 || stdout !== "" || !/^[^\n]+\n$/.test(stderr))
    throw new Error(`${code}: ${stdout}${stderr}`);
  return stderr.trimEnd();
}
