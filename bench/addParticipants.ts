/**
 * How many people a second can be added over HTTP? Starts a server of its own in another process, on a new data folder,
 * with the rate limit off. `npm run bench -- [seconds per row]`; takes about 20 s more to prepare.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { connect } from "../embedded/connect";
import { APP_FOLDER, PROJECT_FOLDER, call, signIn } from "../scripts/project";
import { load } from "./load";

const SECONDS = Number(process.argv[2] ?? 5);
const USERS = 4_000;
const MEETINGS = 64;
const CALLERS = [1, 16, 64];

const dataFolder = await mkdtemp(path.join(tmpdir(), "bench-"));
const child = spawn(
  process.execPath,
  ["--import", "tsx", "scripts/start.ts", "--port", "0", "--site-port", "0", "--data", dataFolder],
  {
    cwd: PROJECT_FOLDER,
    env: { ...process.env, RATE_LIMIT_PER_SECOND: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  },
);
await new Promise((resolve) => child.stdout.once("data", resolve));
try {
  await measure();
} finally {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await ended;
  await rm(dataFolder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const server = await connect({ appFolder: APP_FOLDER, dataFolder });
  const host = await signIn(server, { email: "host@example.com" });
  const users = await inBatches(
    USERS,
    32,
    async (i) => (await signIn(server, { email: `p${i}@example.com` })).userId,
  );
  const url = `${server.url}/api/run/meetings/lifecycle/addMultipleParticipants`;

  const newMeetings = () =>
    inBatches(MEETINGS, 16, async (i) => {
      const args = { title: `Meeting ${i}`, meetingType: "webinar" };
      const created = await call<{ meetingId: string }>(
        server,
        host.token,
        "meetings/lifecycle/createMeeting",
        args,
      );
      return created.meetingId;
    });
  /** Bodies that add each user to each meeting once, round the meetings. */
  const bodies = (meetings: readonly string[], batch: number) => {
    let sent = 0;
    return () => {
      const meetingId = meetings[sent % meetings.length];
      const first = Math.floor(sent / meetings.length) * batch;
      sent++;
      if (first + batch > users.length) return null;
      const participants = users
        .slice(first, first + batch)
        .map((userId) => ({ userId, role: "participant" }));
      return JSON.stringify({ args: { meetingId, participants } });
    };
  };
  const repeat = (body: string | null) => () => body;

  console.log(
    `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), server and load on the same machine`,
  );
  console.log(`${MEETINGS} meetings, ${USERS} users, ${SECONDS} s a row\n`);
  console.log("| what is added        | callers | requests/s | participants/s | p50 ms | p99 ms |");
  console.log("| -------------------- | ------- | ---------- | -------------- | ------ | ------ |");
  const scenarios = [
    { name: "1 new person", batch: 1, next: async () => bodies(await newMeetings(), 1) },
    { name: "100 new people", batch: 100, next: async () => bodies(await newMeetings(), 100) },
    {
      name: "100 who are there",
      batch: 100,
      next: async () => {
        const body = bodies(await newMeetings(), 100)();
        await load(url, await freshToken(), { callers: 1, seconds: 60, next: once(body) });
        return repeat(body);
      },
    },
  ];
  for (const { name, batch, next } of scenarios) {
    for (const callers of CALLERS) {
      const source = await next();
      const { requests, seconds, p50, p99 } = await load(url, await freshToken(), {
        callers,
        seconds: SECONDS,
        next: source,
      });
      const perSecond = requests / seconds;
      console.log(
        `| ${name.padEnd(20)} | ${cell(callers, 7)} | ${cell(perSecond, 10)} | ${cell(perSecond * batch, 14)} | ${p50.toFixed(1).padStart(6)} | ${p99.toFixed(1).padStart(6)} |`,
      );
    }
  }

  async function freshToken(): Promise<string> {
    return (await signIn(server, { email: "host@example.com" })).token;
  }
}

function once(body: string | null): () => string | null {
  let given = false;
  return () => (given ? null : ((given = true), body));
}

function cell(value: number, width: number): string {
  return Math.round(value).toLocaleString("en-US").padStart(width);
}

/** `count` results of `work`, at most `width` of them under way at once, in order. */
async function inBatches<T>(count: number, width: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) results[i] = await work(i);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
