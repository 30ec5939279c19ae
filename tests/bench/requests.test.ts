import fc from "fast-check";
import { expect, test } from "vitest";
import { createRequests } from "../../bench/load/requests";
import { range } from "../../bench/range";
import type { WorldIds } from "../../bench/world";

type Body = { args: { meetingId: string; participants: { userId: string }[] } };

function idsOf(users: number, meetings: number): WorldIds {
  return {
    users: range(users).map((i) => `user${i}`),
    meetings: range(meetings).map((i) => `meeting${i}`),
    inactiveUser: "",
    storedMeetings: [],
    smallMeeting: "",
  };
}

test("requests for new people name everybody once in each meeting, the meetings taking turns, and then end", () => {
  const sizes = fc.record({
    batch: fc.integer({ min: 1, max: 20 }),
    batches: fc.integer({ min: 1, max: 10 }),
    spread: fc.integer({ min: 1, max: 4 }),
    groups: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(sizes, ({ batch, batches, spread, groups }) => {
      const count = spread * groups;
      const users = batch * batches;
      const ids = idsOf(users, count);
      const next = createRequests(ids, { batch, spread, meetings: range(count), people: "new" });
      const named = new Map<string, string[]>();
      const order: number[] = [];
      for (let request = next(); request !== null; request = next()) {
        const { args } = JSON.parse(request.body) as Body;
        expect(args.meetingId).toBe(ids.meetings[request.meeting]);
        expect(args.participants).toHaveLength(batch);
        const before = named.get(args.meetingId) ?? [];
        named.set(args.meetingId, [...before, ...args.participants.map(({ userId }) => userId)]);
        order.push(request.meeting);
      }
      expect(order.slice(0, spread)).toEqual(range(spread));
      expect(named.size).toBe(count);
      for (const people of named.values()) expect(people.toSorted()).toEqual(ids.users.toSorted());
    }),
  );
});

test("requests for people who are there name those whom the first requests for new people have added, for ever", () => {
  const ids = idsOf(50, 3);
  const pattern = { batch: 10, spread: 3, meetings: range(3) };
  const added = createRequests(ids, { ...pattern, people: "new" });
  const again = createRequests(ids, { ...pattern, people: "present" });
  const first = range(3).map(() => added());
  for (const _ of range(20)) expect(range(3).map(() => again())).toEqual(first);
});
