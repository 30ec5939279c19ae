import { mkdir } from "node:fs/promises";
import path from "node:path";
import { range } from "../../range";
import {
  HOST,
  INACTIVE,
  MEETING_SIZE,
  PLACES,
  SMALL_PLACES,
  storedMeetings,
  subjectOf,
  userAt,
  type World,
} from "../../world";
import { peerKeys } from "../shared/worldKeys";
import { loadDriver, openSqlite, SCHEMA, type Sqlite } from "./database";

export const DATABASE_FILE = "meetings.sqlite";

/** Makes a database with the world in it. */
export async function seedSqlite(folder: string, world: World): Promise<void> {
  await mkdir(folder, { recursive: true });
  const database = openSqlite(await loadDriver(), path.join(folder, DATABASE_FILE));
  database.exec(SCHEMA);
  database.transaction(() => fill(database, world))();
  database.exec("analyze");
  // Leaves one file: the others would go when the driver lets go of it, which may be long after `close`, while it is copied.
  database.pragma("journal_mode = DELETE");
  database.close();
}

function fill(database: Sqlite, world: World): void {
  const keys = peerKeys(world);
  const user = database.prepare("insert into users values (?, ?, ?, ?)");
  user.run(keys.host, HOST, "host@example.com", 1);
  user.run(keys.inactiveUser, INACTIVE, "inactive@example.com", 0);
  for (const i of range(world.users)) user.run(keys.firstUser + i, subjectOf(i), `p${i}@example.com`, 1);

  const meeting = database.prepare("insert into meetings values (?, ?, ?, 'scheduled', ?, ?, 0)");
  const participant = database.prepare(
    "insert into participants (meeting, user, role, presence, created_at) values (?, ?, ?, 'invited', 0)",
  );
  const add = (key: number, places: number, people: number) => {
    meeting.run(key, keys.host, `Meeting ${key}`, places, people + 1);
    participant.run(key, keys.host, "host");
  };
  for (const i of range(world.meetings)) add(keys.firstMeeting + i, PLACES, 0);
  add(keys.smallMeeting, SMALL_PLACES, 0);
  for (const i of range(storedMeetings(world))) {
    const key = keys.smallMeeting + 1 + i;
    const people = Math.min(MEETING_SIZE, world.stored - i * MEETING_SIZE);
    add(key, PLACES, people);
    for (const place of range(people)) {
      participant.run(key, keys.firstUser + userAt(world, i, place), "participant");
    }
  }
}
