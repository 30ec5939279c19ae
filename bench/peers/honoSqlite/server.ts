/** Hono and SQLite in one process, one synchronous transaction a request. */
import path from "node:path";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { failure, Refusal, refusalOf, success } from "../shared/answers";
import { keyOf } from "../shared/ids";
import { ADD_PATH, GET_MEETING_PATH, readAddRequest, readMeetingId } from "../shared/requests";
import { announce, dataFolder } from "../shared/serve";
import { createVerify } from "../shared/tokens";
import { createAddParticipants } from "./addParticipants";
import { loadDriver, openSqlite } from "./database";
import { DATABASE_FILE } from "./seed";

const database = openSqlite(await loadDriver(), path.join(dataFolder(), DATABASE_FILE));
const verify = createVerify(process.env);
const addParticipants = createAddParticipants(database);
const findMeeting = database.prepare(
  `select m.participant_count as count from meetings m
   join users u on u.workos_user_id = ?
   join participants p on p.meeting = m.key and p.user = u.key
   where m.key = ?`,
);

const JSON_HEADERS = { "Content-Type": "application/json" };
const app = new Hono();

app.post(ADD_PATH, async (c) => {
  const subject = await verify(c.req.header("Authorization"));
  return c.body(addParticipants(subject, readAddRequest(await c.req.json())), 200, JSON_HEADERS);
});

app.post(GET_MEETING_PATH, async (c) => {
  const subject = await verify(c.req.header("Authorization"));
  const key = keyOf("meeting", readMeetingId(await c.req.json()));
  const row = findMeeting.get(subject, key) as { count: number } | undefined;
  if (!row) throw new Refusal("MEETING_NOT_FOUND");
  return c.body(success({ participantCount: row.count }), 200, JSON_HEADERS);
});

app.onError((error) => {
  const refusal = refusalOf(error);
  return new Response(failure(refusal), { status: refusal.status, headers: JSON_HEADERS });
});

serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
  announce(`http://127.0.0.1:${port}`),
);
