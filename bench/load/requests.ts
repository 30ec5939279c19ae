import { userAt, type WorldIds } from "../world";

/** What is asked for, again and again. */
export type Pattern = {
  /** People a request. */
  readonly batch: number;
  /** Which of `WorldIds.meetings` are used, in this order. */
  readonly meetings: readonly number[];
  /** So many meetings take turns; the next ones follow when everybody is in these. */
  readonly spread: number;
  /** `new`: each request names people who are not in the meeting yet. `present`: each names the first people of the meeting. */
  readonly people: "new" | "present";
};

export type NextRequest = { readonly meeting: number; readonly body: string };

/** Gives the requests of a pattern one after another, null when everybody is in every meeting. */
export function createRequests(ids: WorldIds, pattern: Pattern): () => NextRequest | null {
  const { batch, meetings, spread, people } = pattern;
  const entries = ids.users.map((userId) => JSON.stringify({ userId, role: "participant" }));
  const turns = Math.floor(entries.length / batch);
  let sent = 0;
  return () => {
    const group = people === "present" ? 0 : Math.floor(sent / (spread * turns));
    const inGroup = people === "present" ? sent : sent % (spread * turns);
    const meeting = meetings[group * spread + (inGroup % spread)];
    if (meeting === undefined) return null;
    sent++;
    const first = people === "present" ? 0 : Math.floor(inGroup / spread) * batch;
    const named = Array.from(
      { length: batch },
      (_, i) => entries[userAt({ users: entries.length }, meeting, first + i)],
    );
    const body = `{"args":{"meetingId":"${ids.meetings[meeting]}","participants":[${named.join(",")}]}}`;
    return { meeting, body };
  };
}
