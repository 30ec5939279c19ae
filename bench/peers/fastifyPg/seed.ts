import { readFile } from "node:fs/promises";
import pg from "pg";
import {
  HOST,
  INACTIVE,
  MEETING_SIZE,
  PLACES,
  SHIFT,
  SMALL_PLACES,
  storedMeetings,
  STRIDE,
  type World,
} from "../../world";
import { peerKeys } from "../shared/worldKeys";
import { createCluster, DATABASE, DATABASE_USER, startCluster } from "./cluster";

/** Makes a cluster with the world in it. */
export async function seedCluster(folder: string, world: World): Promise<void> {
  await createCluster(folder);
  const cluster = await startCluster(folder);
  const client = new pg.Client({ host: cluster.socketFolder, database: DATABASE, user: DATABASE_USER });
  await client.connect();
  try {
    await client.query(await readFile(new URL("schema.sql", import.meta.url), "utf8"));
    await fill(client, world);
    await client.query("vacuum analyze");
  } finally {
    await client.end();
    await cluster.stop();
  }
}

async function fill(client: pg.Client, world: World): Promise<void> {
  const keys = peerKeys(world);
  const people = [
    `(${keys.host}, '${HOST}', 'host@example.com', true)`,
    `(${keys.inactiveUser}, '${INACTIVE}', 'inactive@example.com', false)`,
  ];
  await client.query(`insert into users values ${people.join(", ")}`);
  await client.query(
    `insert into users select $1::bigint + i, 'user_' || i, 'p' || i || '@example.com', true
     from generate_series(0, $2::bigint - 1) i`,
    [keys.firstUser, world.users],
  );
  const stored = storedMeetings(world);
  await client.query(
    `insert into meetings
     select id, $1::bigint, 'Meeting ' || id, 'scheduled',
            case when id = $3::bigint then $4::int else $5::int end,
            case when id > $3::bigint then least($6::int, $7::int - (id - $3::bigint - 1)::int * $6::int) else 0 end + 1, 0
     from generate_series(1, $2::bigint) id`,
    [
      keys.host,
      keys.smallMeeting + stored,
      keys.smallMeeting,
      SMALL_PLACES,
      PLACES,
      MEETING_SIZE,
      world.stored,
    ],
  );
  await client.query(
    `insert into participants (meeting_id, user_id, role, presence, created_at)
     select id, $1::bigint, 'host', 'invited', 0 from meetings order by id`,
    [keys.host],
  );
  // The order of userAt in world.ts.
  await client.query(
    `insert into participants (meeting_id, user_id, role, presence, created_at)
     select $1::bigint + 1 + i / $2::bigint,
            $3::bigint + ((i % $2::bigint) * $6::bigint + (i / $2::bigint) * $7::bigint) % $4::bigint, 'participant', 'invited', 0
     from generate_series(0, $5::bigint - 1) i order by i`,
    [keys.smallMeeting, MEETING_SIZE, keys.firstUser, world.users, world.stored, STRIDE, SHIFT],
  );
}
