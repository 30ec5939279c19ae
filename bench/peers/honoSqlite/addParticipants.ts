import { added, Refusal, skipped, type Skipped } from "../shared/answers";
import { keyOf, wireId } from "../shared/ids";
import type { AddRequest } from "../shared/requests";
import type { Sqlite } from "./database";

type Caller = { readonly key: number; readonly active: number };
type Meeting = { readonly state: string; readonly free: number; readonly role: string | null };
type Person = { readonly active: number; readonly row: number | null };

/** The main job as one transaction, with prepared statements: two a person who is added, one a person who is not. */
export function createAddParticipants(database: Sqlite): (subject: string, request: AddRequest) => string {
  const findCaller = database.prepare("select key, is_active as active from users where workos_user_id = ?");
  const findMeeting = database.prepare(
    `select m.state, m.max_participants - m.participant_count as free, p.role from meetings m
     left join participants p on p.meeting = m.key and p.user = ? where m.key = ?`,
  );
  const findPerson = database.prepare(
    `select u.is_active as active, p.key as row from users u
     left join participants p on p.meeting = ? and p.user = u.key where u.key = ?`,
  );
  const insert = database.prepare(
    "insert into participants (meeting, user, role, presence, created_at) values (?, ?, ?, 'invited', ?)",
  );
  const count = database.prepare(
    "update meetings set participant_count = participant_count + ?, updated_at = ? where key = ?",
  );

  const add = database.transaction((subject: string, { meetingId, participants }: AddRequest): string => {
    const caller = findCaller.get(subject) as Caller | undefined;
    if (!caller) throw new Refusal("USER_NOT_PROVISIONED");
    if (!caller.active) throw new Refusal("USER_DEACTIVATED");
    const meetingKey = keyOf("meeting", meetingId);
    const meeting = meetingKey && (findMeeting.get(caller.key, meetingKey) as Meeting | undefined);
    if (!meeting) throw new Refusal("MEETING_NOT_FOUND");
    if (meeting.role !== "host") throw new Refusal("FORBIDDEN");
    if (meeting.state !== "scheduled" && meeting.state !== "active") throw new Refusal("MEETING_CLOSED");

    const now = Date.now();
    const ids: string[] = [];
    const left: Skipped[] = [];
    const seen = new Set<string>();
    for (const { userId, role } of participants) {
      const key = keyOf("user", userId);
      const person = key && (findPerson.get(meetingKey, key) as Person | undefined);
      if (!person) left.push(skipped(userId, "user_not_found"));
      else if (!person.active) left.push(skipped(userId, "user_inactive"));
      else if (seen.has(userId)) left.push(skipped(userId, "duplicate"));
      else {
        seen.add(userId);
        if (person.row !== null) left.push(skipped(userId, "already_participant"));
        else if (ids.length >= meeting.free) left.push(skipped(userId, "meeting_full"));
        else ids.push(wireId("participant", insert.run(meetingKey, key, role, now).lastInsertRowid));
      }
    }
    if (ids.length > 0) count.run(ids.length, now, meetingKey);
    return added(ids, left);
  });
  // Not "immediate": a request that adds nobody writes nothing and waits for no disk. Nobody else has the file open.
  return (subject, request) => add.deferred(subject, request);
}
