/** Fastify and PostgreSQL: one stored function a request, pipelined over a few connections. */
import Fastify from "fastify";
import pg from "pg";
import { MAX_BATCH, participantRole } from "../../../convex/contract/participants";
import { added, failure, Refusal, refusalOf, skipped, success } from "../shared/answers";
import { keyOf, wireId } from "../shared/ids";
import { ADD_PATH, GET_MEETING_PATH, type AddRequest } from "../shared/requests";
import { announce } from "../shared/serve";
import { createVerify } from "../shared/tokens";
import { DATABASE, DATABASE_USER } from "./cluster";
import type { ErrorCode } from "../../../convex/contract/errors";
import type { SkipCode } from "../../../convex/contract/entries";

/** As many as had the best figures on two cores: 2 to 8 differ little. */
const CONNECTIONS = 4;

const text = { type: "string" } as const;
const addBody = argsSchema({
  meetingId: text,
  participants: {
    type: "array",
    maxItems: MAX_BATCH,
    items: closed({ userId: text, role: { type: "string", enum: participantRole.options } }),
  },
});

type Row = {
  readonly refusal: ErrorCode | null;
  /** PostgreSQL's text for arrays: `{1,2}`. */
  readonly added: string | null;
  readonly skipped_at: string | null;
  readonly skipped_code: string | null;
};

const clients = await Promise.all(Array.from({ length: CONNECTIONS }, connect));
const verify = createVerify(process.env);
const app = Fastify({
  bodyLimit: 16 * 1024 * 1024,
  ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
});

app.decorateRequest("subject", "");
app.addHook("onRequest", async (request) => {
  const subject = verify(request.headers.authorization);
  request.subject = typeof subject === "string" ? subject : await subject;
});

app.setErrorHandler((error, _request, reply) => {
  const invalid = (error as { validation?: unknown }).validation !== undefined;
  const refusal = invalid ? new Refusal("INVALID_ARGUMENT") : refusalOf(error);
  return reply.code(refusal.status).type("application/json").send(failure(refusal));
});

app.post<{ Body: { args: AddRequest } }>(ADD_PATH, { schema: { body: addBody } }, async (request, reply) => {
  const { meetingId, participants } = request.body.args;
  const meeting = keyOf("meeting", meetingId);
  if (meeting === null) throw new Refusal("MEETING_NOT_FOUND");
  // 0 is nobody's key: an id that is none is unknown to the function as any other.
  const people = `{${participants.map(({ userId }) => keyOf("user", userId) ?? 0).join(",")}}`;
  const roles = `{${participants.map(({ role }) => role).join(",")}}`;
  const { rows } = await nextClient().query<Row>({
    name: "add",
    text: "select refusal, added::text, skipped_at::text, skipped_code::text from add_participants($1, $2, $3, $4, $5)",
    values: [request.subject, meeting, people, roles, Date.now()],
  });
  const [row] = rows;
  if (!row) throw new Error("The function gave no row");
  if (row.refusal !== null) throw new Refusal(row.refusal);
  const codes = elements(row.skipped_code);
  const left = elements(row.skipped_at).map((position, i) =>
    skipped(participants[Number(position) - 1]?.userId ?? "", codes[i] as SkipCode),
  );
  const ids = elements(row.added).map((key) => wireId("participant", key));
  return reply.type("application/json").send(added(ids, left));
});

app.post<{ Body: { args: { meetingId: string } } }>(
  GET_MEETING_PATH,
  { schema: { body: argsSchema({ meetingId: text }) } },
  async (request, reply) => {
    const { rows } = await nextClient().query<{ count: number }>({
      name: "meeting",
      text: `select m.participant_count as count from meetings m
        join users u on u.workos_user_id = $1
        join participants p on p.meeting_id = m.id and p.user_id = u.id
        where m.id = $2`,
      values: [request.subject, keyOf("meeting", request.body.args.meetingId)],
    });
    const [row] = rows;
    if (!row) throw new Refusal("MEETING_NOT_FOUND");
    return reply.type("application/json").send(success({ participantCount: row.count }));
  },
);

announce(await app.listen({ port: 0, host: "127.0.0.1" }));

declare module "fastify" {
  interface FastifyRequest {
    subject: string;
  }
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({
    host: process.env["BENCH_DATA"],
    database: DATABASE,
    user: DATABASE_USER,
    pipeline: true,
  });
  await client.connect();
  const { rows } = await client.query<{ name: string; setting: string }>(
    "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')",
  );
  if (rows.length !== 3 || rows.some(({ setting }) => setting !== "on")) {
    throw new Error(`PostgreSQL is not durable: ${JSON.stringify(rows)}`);
  }
  return client;
}

let turn = 0;

function nextClient(): pg.Client {
  const client = clients[turn++ % clients.length];
  if (!client) throw new Error("No connection");
  return client;
}

/** The elements of an array of numbers or plain words in PostgreSQL's text. */
function elements(array: string | null): string[] {
  return array === null || array === "{}" ? [] : array.slice(1, -1).split(",");
}

function argsSchema(args: Record<string, object>) {
  return closed({ args: closed(args) });
}

function closed(properties: Record<string, object>) {
  return { type: "object", additionalProperties: false, required: Object.keys(properties), properties };
}
