/** How long it takes until everybody who looks at a meeting's list has a change of it. */
import { Audience } from "./audience/audience";
import { worldWith } from "./cells";
import type { Laboratory, Session } from "./laboratory";
import type { LoadJob } from "./load/run";
import type { Measure } from "./measure";
import { ADD_PATH } from "./peers/shared/requests";
import { range } from "./range";
import { summarize } from "./statistics";
import { subjectNamed } from "./subjects";
import { subjectOf } from "./world";

export type FanOutSettings = {
  readonly users: number;
  readonly subscribers: number;
  readonly runs: number;
  readonly onProgress: (text: string) => void;
};

const CHANGED_PEOPLE = 100;
const SPREAD = 64;

/** Only the embedded runtime has live queries. */
export async function measureFanOut(laboratory: Laboratory, settings: FanOutSettings): Promise<Measure[]> {
  const embedded = subjectNamed("embedded");
  return laboratory.withServer(embedded, worldWith(0, settings.users), async (session) => [
    ...(await fanOut(laboratory, session, settings, 1)),
    ...(await fanOut(laboratory, session, settings, SPREAD)),
  ]);
}

/** Each run changes one of `spread` meetings, over whose lists the subscribers are spread. */
async function fanOut(
  laboratory: Laboratory,
  session: Session,
  { subscribers: count, runs, onProgress }: FanOutSettings,
  spread: number,
): Promise<Measure[]> {
  // Neither meetings nor people are those of the other spread.
  const firstMeeting = 1 + spread;
  const subscribers = range(count);
  const lastHasIt: number[] = [];
  const others: number[] = [];
  const audience = new Audience();
  try {
    const tokens = subscribers.map((i) => laboratory.sign(subjectOf(i)));
    await audience.connect(session.url, await Promise.all(tokens));
    for (const run of range(runs)) {
      onProgress(`fan-out ${run + 1}, ${count} subscribers, ${spread} meetings`);
      const meetings = range(spread).map((i) => session.ids.meetings[firstMeeting + run * spread + i] ?? "");
      const watchersOf = (i: number) => subscribers.filter((k) => k % spread === i);
      await Promise.all(
        meetings.map((meetingId, i) => {
          const userIds = watchersOf(i).map((k) => session.ids.users[k] ?? "");
          return addPeople(laboratory, session, meetingId, userIds, "participant");
        }),
      );
      await audience.watch(
        subscribers.map((k) => ({
          meetingId: meetings[k % spread],
          role: "observer",
          paginationOpts: { numItems: CHANGED_PEOPLE, cursor: null },
        })),
      );
      const [changed = ""] = meetings;
      let underWay = () => undefined as void;
      const begun = new Promise<void>((resolve) => (underWay = resolve));
      const job = otherMutations(laboratory, session, spread, run);
      const other = laboratory.generator.run(job, underWay);
      await Promise.race([begun, other]);
      const newcomers = session.ids.users.slice(count, count + CHANGED_PEOPLE);
      const { seen, lengths } = await audience.expectChange(watchersOf(0));
      const startedAt = performance.now();
      const answered = addPeople(laboratory, session, changed, newcomers, "observer");
      await seen;
      lastHasIt.push(performance.now() - startedAt);
      laboratory.generator.stop();
      others.push((await other).p99Ms);
      await answered;
      for (const length of await lengths) {
        if (length !== CHANGED_PEOPLE) throw new Error(`A subscriber has ${length} people on its page`);
      }
    }
  } finally {
    audience.close();
  }
  const subject = "embedded";
  const of = spread === 1 ? "one meeting" : `${spread} meetings`;
  const measure = `change of ${CHANGED_PEOPLE} people, ${count} subscribers of ${of}`;
  const common = { subject, unit: "ms", stored: 0, runs } as const;
  return [
    { ...common, measure: `${measure}: last has it`, ...summarize(lastHasIt) },
    { ...common, measure: `${measure}: p99 of other mutations meanwhile`, ...summarize(others) },
  ];
}

/** One person after another into a meeting that nobody looks at, until it is stopped. */
function otherMutations(
  laboratory: Laboratory,
  { url, folder }: Session,
  spread: number,
  run: number,
): LoadJob {
  // Behind the meetings of all runs.
  const meeting = 900 + run * 2 + Number(spread === 1);
  return {
    url: url + ADD_PATH,
    token: laboratory.hostToken,
    folder,
    pattern: { batch: 1, meetings: [meeting], spread: 1, people: "new" },
    connections: 1,
    settleSeconds: 0,
    seconds: 600,
  };
}

async function addPeople(
  { hostToken }: Laboratory,
  { url }: Session,
  meetingId: string,
  userIds: readonly string[],
  role: string,
): Promise<void> {
  const response = await fetch(url + ADD_PATH, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${hostToken}` },
    body: JSON.stringify({ args: { meetingId, participants: userIds.map((userId) => ({ userId, role })) } }),
  });
  const { value } = (await response.json()) as { value?: { added: readonly string[] } };
  if (value?.added.length !== userIds.length) throw new Error("Not everybody was added");
}
