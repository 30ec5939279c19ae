import { createHmac, randomBytes } from "node:crypto";
import fc from "fast-check";
import { decodeJwt, SignJWT } from "jose";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { call, newMeeting, request, signIn, startServer, type TestServer } from "../server";
import { ChalkClient, type Json } from "./chalkClient";
import { asAdmin, newCredentials, startDialectServer } from "./tenant";

interface Added extends Json {
  participant: { id: string; role: string; display_name: string };
  room: { id: string };
  access_token: string;
  refresh_token: string;
  auth_token: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

const credentialsKey = randomBytes(32).toString("base64");

let server: TestServer;
let credentials: NewCredentials;
let app: ChalkClient;
let names = 0;

beforeAll(async () => {
  server = await startDialectServer({ CREDENTIALS_KEY: credentialsKey });
  credentials = await newCredentials(server);
  app = ChalkClient.withKey(server, credentials.chalkApiKey);
});

afterEach(() => {
  vi.useRealTimers();
});

/** Credentials of a tenant of its own. */
async function newTenant(config?: Json): Promise<{ app: ChalkClient; apiKey: string }> {
  const { chalkApiKey } = await newCredentials(server, `tenant${(names += 1)}`);
  const client = ChalkClient.withKey(server, chalkApiKey);
  if (config) await client.call("PATCH", "/tenants/me/config", config);
  return { app: client, apiKey: chalkApiKey };
}

function add(client: ChalkClient, room: string, fields: Json): Promise<Added> {
  return client.call<Added>("POST", `/rooms/${room}/participants`, fields);
}

async function participantsOf(client: ChalkClient, room: string, query = ""): Promise<Json[]> {
  const path = `/rooms/${room}/participants${query}`;
  return (await client.call<{ participants: Json[] }>("GET", path)).participants;
}

test("the documentation's requests get the documentation's answers", async () => {
  const room = await app.newRoom({ name: "CS101 Lecture" });
  const added = await add(app, "cs101 lecture", {
    display_name: "John Doe",
    external_user_id: "user_123",
    role: "participant",
  });
  expect(added).toEqual({
    participant: {
      id: expect.stringMatching(UUID),
      room_id: room,
      cloudflare_participant_id: expect.any(String),
      display_name: "John Doe",
      external_user_id: "user_123",
      role: "participant",
      joined_at: expect.any(String),
      left_at: null,
      created_at: expect.any(String),
      metadata: {},
    },
    room: { id: room, name: "CS101 Lecture", status: "active" },
    room_created: false,
    tenant_config: {
      transcription_enabled: false,
      first_participant_is_host: false,
      force_recording: false,
      allow_early_join: false,
    },
    access_token: expect.stringMatching(JWT),
    refresh_token: expect.stringMatching(JWT),
    token_type: "Bearer",
    expires_in: 3600,
    auth_token: expect.stringMatching(JWT),
    should_start_recording: false,
  });
  expect(decodeJwt(added.access_token)).toMatchObject({
    iss: "chalk",
    sub: added.participant.id,
    room_id: room,
    display_name: "John Doe",
    role: "participant",
    permissions: { can_record: false, can_screen_share: true, can_kick: false, can_mute: false },
    type: "access",
    jti: expect.any(String),
    tenant_id: expect.any(String),
  });

  const bulk = await app.call("POST", `/rooms/${room}/participants/bulk`, {
    participants: [
      { display_name: "Alice", external_user_id: "user_001", role: "participant" },
      { display_name: "Bob", external_user_id: "user_002", role: "participant" },
      {},
    ],
  });
  const success = {
    success: true,
    access_token: expect.stringMatching(JWT),
    auth_token: expect.stringMatching(JWT),
  };
  expect(bulk).toMatchObject({
    results: [
      { participant_id: expect.stringMatching(UUID), ...success },
      { participant_id: expect.stringMatching(UUID), ...success },
      { success: false, error: "display_name is required" },
    ],
  });
  expect((bulk as { results: Json[] }).results[2]).toEqual({
    success: false,
    error: "display_name is required",
  });

  expect(await participantsOf(app, room)).toMatchObject([
    { id: added.participant.id, display_name: "John Doe", external_user_id: "user_123" },
    { display_name: "Alice", role: "participant", joined_at: expect.stringMatching(/^\d{4}-.*Z$/) },
    { display_name: "Bob" },
  ]);
  const tokens = await app.call("POST", `/rooms/${room}/participants/${added.participant.id}/token`);
  expect(tokens).toEqual({
    access_token: expect.stringMatching(JWT),
    refresh_token: expect.stringMatching(JWT),
    token_type: "Bearer",
    expires_in: 3600,
    auth_token: expect.stringMatching(JWT),
  });
  const removed = await app.send("DELETE", `/rooms/${room}/participants/${added.participant.id}`);
  expect([removed.status, removed.body]).toEqual([204, ""]);
  expect(await participantsOf(app, room)).toHaveLength(2);
});

test("an API key, its session's tokens and their successors open the same tenant; a refresh token works once", async () => {
  const session = await request(`${server.siteUrl}/api/v1/auth/token`, {
    body: { api_key: credentials.chalkApiKey },
  });
  expect(session.status).toBe(200);
  const { access_token, refresh_token, ...rest } = session.body as Record<string, string>;
  expect(rest).toEqual({ token_type: "Bearer", expires_in: 3600 });
  const room = await ChalkClient.withToken(server, access_token).newRoom();
  expect(
    await ChalkClient.withToken(server, credentials.chalkApiKey).call("GET", `/rooms/${room}`),
  ).toMatchObject({ id: room, status: "active" });
  expect(await app.refusal("POST", "/auth/refresh", { refresh_token: access_token })).toEqual([
    401,
    "invalid refresh token",
  ]);
  expect(await ChalkClient.withToken(server, refresh_token).refusal("GET", "/rooms")).toEqual([
    401,
    "invalid token",
  ]);

  const next = await app.call<Record<string, string>>("POST", "/auth/refresh", { refresh_token });
  await ChalkClient.withToken(server, next["access_token"]).call("GET", `/rooms/${room}`);
  // Somebody has a copy of it: nobody can tell who, so that the session is over.
  expect(await app.refusal("POST", "/auth/refresh", { refresh_token })).toEqual([
    401,
    "invalid refresh token",
  ]);
  expect(await app.refusal("POST", "/auth/refresh", { refresh_token: next["refresh_token"] })).toEqual([
    401,
    "invalid refresh token",
  ]);
});

test("requests without good credentials are refused in the words of the vendor", async () => {
  const refusal = (headers: Record<string, string>) =>
    new ChalkClient(server, headers).refusal("GET", "/rooms");
  expect(await refusal({})).toEqual([401, "missing authorization header"]);
  expect(await refusal({ Authorization: "Basic abc" })).toEqual([401, "invalid authorization header format"]);
  expect(await refusal({ Authorization: "Bearer x.y.z" })).toEqual([401, "invalid token"]);
  expect(await refusal({ Authorization: "Bearer ck_other_1" })).toEqual([401, "invalid API key format"]);
  expect(await refusal({ "X-API-Key": "ck_live_unknown" })).toEqual([401, "invalid API key"]);
  expect(await app.refusal("POST", "/auth/token", {})).toEqual([400, "api_key is required"]);
  expect(await app.refusal("POST", "/auth/token", { api_key: "x" })).toEqual([401, "invalid API key format"]);

  const { accessKeyId, chalkApiKey } = await newCredentials(server);
  const { access_token } = await app.call("POST", "/auth/token", { api_key: chalkApiKey });
  await asAdmin(server, "credentials:revoke", { tenant: "acme", accessKeyId });
  expect(await ChalkClient.withToken(server, access_token).refusal("GET", "/rooms")).toEqual([
    401,
    "invalid token",
  ]);
  expect(await ChalkClient.withKey(server, chalkApiKey).refusal("GET", "/rooms")).toEqual([
    401,
    "invalid API key",
  ]);
});

test("a person who is there is given back with fresh tokens, or refused if the tenant wants it so", async () => {
  const room = await app.newRoom();
  const fields = { display_name: "Ann", external_user_id: "again" };
  const [first, second] = [
    await add(app, room, fields),
    await add(app, room, { ...fields, display_name: "Other" }),
  ];
  expect(second.participant).toEqual(first.participant);
  expect(second.access_token).not.toBe(first.access_token);

  const strict = await newTenant({ duplicate_participant_policy: "reject" });
  const other = await strict.app.newRoom();
  await add(strict.app, other, fields);
  expect(await strict.app.refusal("POST", `/rooms/${other}/participants`, fields)).toEqual([
    409,
    "participant already in room",
  ]);
  const { results } = await strict.app.call<{ results: Json[] }>(
    "POST",
    `/rooms/${other}/participants/bulk`,
    {
      participants: [fields, { display_name: "New" }],
    },
  );
  expect(results).toMatchObject([
    { success: false, error: "participant already in room", external_user_id: "again", display_name: "Ann" },
    { success: true, display_name: "New" },
  ]);
});

test("a room that is named and not there is made if the tenant allows early joining, and its first participant is host if it wants so", async () => {
  expect(await app.refusal("POST", "/rooms/nobody-made-it/participants", { display_name: "Ann" })).toEqual([
    404,
    "room not found",
  ]);
  const { app: early } = await newTenant({
    allow_early_join: true,
    first_participant_is_host: true,
    force_recording: true,
  });
  const first = await add(early, "Stand-up", { display_name: "Ann" });
  expect(first).toMatchObject({
    room_created: true,
    room: { name: "Stand-up", status: "active" },
    participant: { role: "host" },
    tenant_config: { allow_early_join: true, first_participant_is_host: true, force_recording: true },
    should_start_recording: true,
  });
  const second = await add(early, "%20STAND-up", { display_name: "Bob" });
  expect(second).toMatchObject({
    room_created: false,
    room: { id: first.room.id },
    participant: { role: "participant" },
    should_start_recording: false,
  });
  const unknown = "00000000-0000-4000-8000-000000000000";
  expect(await early.refusal("POST", `/rooms/${unknown}/participants`, { display_name: "Ann" })).toEqual([
    404,
    "room not found",
  ]);
  await early.call("POST", `/rooms/${first.room.id}/end`);
  const next = await add(early, "stand-up", { display_name: "Ann" });
  expect(next.room_created).toBe(true);
  expect(next.room.id).not.toBe(first.room.id);
});

test("a room made by early joining may be called anything that a room can be called", async () => {
  const { app: early } = await newTenant({ allow_early_join: true });
  // Of the form of the ids of meetings, as an MD5 is.
  const name = "d41d8cd98f00b204e9800998ecf8427e";
  const first = await add(early, name, { display_name: "Ann" });
  expect(first).toMatchObject({ room_created: true, room: { name } });
  expect(await add(early, name, { display_name: "Bob" })).toMatchObject({ room_created: false });
  expect(await participantsOf(early, first.room.id)).toHaveLength(2);
  for (const wrong of ["x".repeat(201), "%20%20"]) {
    const [status, text] = await early.refusal("POST", `/rooms/${wrong}/participants`, {
      display_name: "Ann",
    });
    expect([status, text]).toEqual([400, expect.stringMatching(/^room name: /)]);
  }
  expect(await early.call("GET", "/rooms")).toMatchObject({ total: 1, rooms: [{ name }] });
});

test("metadata of one in a bulk request that can't be kept are the error of that one", async () => {
  const room = await app.newRoom();
  const path = `/rooms/${room}/participants/bulk`;
  const deep = JSON.parse(`${'{"a":'.repeat(70)}1${"}".repeat(70)}`) as Json;
  const given = [{ 部门: "2" }, { $x: 1 }, { _x: 1 }, { deep }, { seat: 4 }];
  const { results } = await app.call<{ results: Json[] }>("POST", path, {
    participants: given.map((metadata, index) => ({ display_name: `P${index}`, metadata })),
  });
  const error = expect.stringMatching(/^metadata\./) as string;
  const failed = [0, 1, 2].map((index) => ({ display_name: `P${index}`, success: false, error }));
  const added = [3, 4].map((index) => ({ display_name: `P${index}`, success: true }));
  expect(results).toMatchObject([...failed, ...added]);
  expect(await participantsOf(app, room)).toMatchObject([
    { display_name: "P3", metadata: { deep: JSON.stringify(deep) } },
    { display_name: "P4", metadata: { seat: "4" } },
  ]);
});

test("a room has as many places as it was given, and one that is over or planned for later has none", async () => {
  const room = await app.newRoom({ config: { max_participants: 2 } });
  await add(app, room, { display_name: "Ann" });
  const { results } = await app.call<{ results: Json[] }>("POST", `/rooms/${room}/participants/bulk`, {
    participants: [
      { display_name: "Bob", external_user_id: "bob" },
      { display_name: "Bob", external_user_id: "bob" },
      { display_name: "Cid" },
    ],
  });
  expect(results).toMatchObject([
    { success: true },
    { success: true },
    { success: false, error: "room is full" },
  ]);
  expect(results[1]?.["participant_id"]).toBe(results[0]?.["participant_id"]);
  expect(await app.refusal("POST", `/rooms/${room}/participants`, { display_name: "Dan" })).toEqual([
    400,
    "room is full",
  ]);
  expect(await app.refusal("PATCH", `/rooms/${room}`, { config: { max_participants: 1 } })).toEqual([
    400,
    "room is full",
  ]);
  expect(await app.call("POST", `/rooms/${room}/end`)).toMatchObject({ status: "ended" });
  for (const path of ["participants", "end"]) {
    expect(await app.refusal("POST", `/rooms/${room}/${path}`, { display_name: "Eve" })).toEqual([
      400,
      "room is not active",
    ]);
  }

  const later = (ms: number) => new Date(Date.now() + ms).toISOString();
  const planned = await app.call<{ id: string }>("POST", "/rooms/schedule", {
    name: "Later",
    scheduled_start_at: later(3_600_000),
    scheduled_end_at: later(7_200_000),
    allow_early_join_minutes: 5,
  });
  expect(planned).toMatchObject({ status: "scheduled", allow_early_join_minutes: 5, started_at: null });
  expect(await app.refusal("POST", "/rooms/later/participants", { display_name: "Ann" })).toEqual([
    400,
    "room is not active",
  ]);
  const soon = await app.call<{ id: string }>("POST", "/rooms/schedule", {
    scheduled_start_at: later(240_000),
    allow_early_join_minutes: 5,
  });
  expect(await add(app, soon.id, { display_name: "Ann" })).toMatchObject({ room: { status: "active" } });
  const schedule = (fields: Json) => app.refusal("POST", "/rooms/schedule", fields);
  expect(await schedule({ scheduled_start_at: later(-1000) })).toEqual([
    400,
    "scheduled_start_at must be in the future",
  ]);
  expect(await schedule({ scheduled_start_at: later(60_000), scheduled_end_at: later(1000) })).toEqual([
    400,
    "scheduled_end_at must be after scheduled_start_at",
  ]);
  expect(await schedule({ scheduled_start_at: later(60_000), allow_early_join_minutes: -1 })).toEqual([
    400,
    "allow_early_join_minutes must be >= 0",
  ]);
});

test("hosts manage their room, participants themselves, and neither another room", async () => {
  const [room, other] = [await app.newRoom(), await app.newRoom()];
  const host = await add(app, room, { display_name: "Hal", role: "host" });
  const ann = await add(app, room, {
    display_name: "Ann",
    external_user_id: "ann",
    metadata: { seat: 4, team: "red" },
  });
  const [asHost, asAnn] = [host, ann].map(({ access_token }) =>
    ChalkClient.withToken(server, access_token),
  ) as [ChalkClient, ChalkClient];
  const ofAnn = `/rooms/${room}/participants/${ann.participant.id}`;

  expect(await asAnn.call("GET", `/rooms/${room}/participants/me`)).toMatchObject({
    display_name: "Ann",
    metadata: { seat: "4", team: "red" },
  });
  expect(await asAnn.call("PATCH", `/rooms/${room}/participants/me`, { display_name: "Anna" })).toMatchObject(
    { display_name: "Anna" },
  );
  expect(await asAnn.refusal("PATCH", ofAnn, { role: "host" })).toEqual([
    403,
    "participants cannot update their own role",
  ]);
  expect(
    await asAnn.refusal("PATCH", `/rooms/${room}/participants/${host.participant.id}`, { display_name: "x" }),
  ).toEqual([403, "forbidden"]);
  for (const [method, path] of [
    ["DELETE", ofAnn],
    ["POST", `${ofAnn}/token`],
    ["POST", `/rooms/${room}/participants/bulk`],
    ["PATCH", `/rooms/${room}`],
    ["DELETE", `/rooms/${room}`],
    ["POST", `/rooms/${room}/end`],
    ["POST", `/rooms/${room}/join-token`],
    ["GET", "/rooms"],
    ["GET", "/tenants/me"],
  ] as const) {
    expect(await asAnn.refusal(method, path, method === "GET" ? undefined : { participants: [{}] })).toEqual([
      403,
      "host role required",
    ]);
  }
  expect(
    await asAnn.refusal("POST", `/rooms/${room}/participants`, { display_name: "x", role: "host" }),
  ).toEqual([403, "host role required"]);
  expect(
    await asAnn.refusal("POST", `/rooms/${room}/participants`, {
      display_name: "x",
      external_user_id: "boss",
    }),
  ).toEqual([403, "host role required"]);
  expect((await add(asAnn, room, { display_name: "x", external_user_id: "ann" })).participant.id).toBe(
    ann.participant.id,
  );
  // What the media server takes is good here, too.
  expect(
    await ChalkClient.withToken(server, ann.auth_token).call("GET", `/rooms/${room}/participants/me`),
  ).toMatchObject({ id: ann.participant.id });

  for (const client of [asHost, asAnn]) {
    expect(await client.refusal("GET", `/rooms/${other}`)).toEqual([404, "room not found"]);
    expect(await client.refusal("POST", "/rooms", {})).toEqual([403, "host role required"]);
  }
  expect(
    await asHost.refusal("PATCH", `/rooms/${room}/participants/${host.participant.id}`, {
      role: "participant",
    }),
  ).toEqual([400, "a room keeps at least one host"]);
  expect(await asHost.refusal("DELETE", `/rooms/${room}/participants/${host.participant.id}`)).toEqual([
    400,
    "a room keeps at least one host",
  ]);
  expect(await asHost.refusal("DELETE", `/rooms/${room}/participants/x`)).toEqual([
    400,
    "invalid participant id",
  ]);
  expect(
    await asHost.refusal("DELETE", `/rooms/${room}/participants/00000000-0000-4000-8000-000000000000`),
  ).toEqual([404, "participant not found"]);

  // Whatever was given out before the role changed speaks of somebody else.
  expect(await asHost.call("PATCH", ofAnn, { role: "host" })).toMatchObject({ role: "host" });
  expect(await asAnn.refusal("GET", `/rooms/${room}`)).toEqual([401, "invalid token"]);
  expect(await app.refusal("POST", "/auth/refresh", { refresh_token: ann.refresh_token })).toEqual([
    401,
    "invalid refresh token",
  ]);
  const again = await asHost.call<Record<string, string>>("POST", `${ofAnn}/token`);
  const next = await app.call<Record<string, string>>("POST", "/auth/refresh", {
    refresh_token: again["refresh_token"],
  });
  const asHostToo = ChalkClient.withToken(server, next["access_token"]);
  expect((await asHostToo.send("DELETE", `/rooms/${room}/participants/${host.participant.id}`)).status).toBe(
    204,
  );
  expect(await asHost.refusal("GET", `/rooms/${room}`)).toEqual([401, "invalid token"]);
});

test("a join link lets one person into one room, once", async () => {
  const room = await app.newRoom({ name: "Linked" });
  const { join_token } = await app.call("POST", `/rooms/${room}/join-token`);
  const exchanged = await app.call<Record<string, string>>("POST", "/public/join-token/exchange", {
    join_token,
  });
  expect(exchanged).toEqual({
    access_token: expect.stringMatching(JWT),
    expires_in: 3600,
    room_id: room,
    room_name: "Linked",
  });
  expect(await app.refusal("POST", "/public/join-token/exchange", { join_token })).toEqual([
    400,
    "invalid join token",
  ]);
  expect(await app.refusal("POST", "/public/join-token/exchange", { join_token: "x" })).toEqual([
    400,
    "invalid join token",
  ]);
  const guest = ChalkClient.withToken(server, exchanged["access_token"]);
  expect((await add(guest, room, { display_name: "Visitor" })).participant).toMatchObject({
    role: "participant",
  });
  expect(
    await guest.refusal("POST", `/rooms/${room}/participants`, { display_name: "x", role: "host" }),
  ).toEqual([403, "host role required"]);
  expect(await guest.refusal("GET", `/rooms/${await app.newRoom()}`)).toEqual([404, "room not found"]);
  expect(await guest.refusal("GET", `/rooms/${room}/participants/me`)).toEqual([
    400,
    "invalid participant id",
  ]);
});

test("a join link is good for a day", async () => {
  const room = await app.newRoom();
  const link = async () => (await app.call("POST", `/rooms/${room}/join-token`))["join_token"];
  const [early, late] = [await link(), await link()];
  const exchange = (join_token: unknown) => app.send("POST", "/public/join-token/exchange", { join_token });
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 23 * 60 * 60_000 });
  expect((await exchange(early)).status).toBe(200);
  vi.setSystemTime(Date.now() + 61 * 60_000);
  expect(await exchange(late)).toMatchObject({ status: 401, body: { error: "join token has expired" } });
});

test("rooms are listed by status, renamed, deleted, and found by name, by id and by the id of the Connvo API", async () => {
  const { app: own } = await newTenant();
  const ids = [
    await own.newRoom({ name: "One" }),
    await own.newRoom({ name: "Two" }),
    await own.newRoom({ name: "Three" }),
  ];
  await own.call("POST", `/rooms/${ids[0]}/end`);
  await own.call("PATCH", `/rooms/${ids[1]}`, { name: "Zwei", config: { chat_enabled: true } });
  expect(await own.call("GET", "/rooms/zwei")).toMatchObject({
    id: ids[1],
    name: "Zwei",
    config: { chat_enabled: true },
  });
  expect(await own.refusal("GET", "/rooms/two")).toEqual([404, "room not found"]);
  expect((await own.send("DELETE", "/rooms/three")).status).toBe(204);
  expect(await own.refusal("GET", `/rooms/${ids[2]}`)).toEqual([404, "room not found"]);
  const list = (query: string) => own.call<{ rooms: Json[] }>("GET", `/rooms${query}`);
  expect(await list("")).toMatchObject({ rooms: [{ id: ids[1] }], total: 1, limit: 20, offset: 0 });
  expect(await list("?status=active,ended&limit=1&offset=1")).toMatchObject({
    rooms: [{ id: ids[0] }],
    total: 2,
    limit: 1,
    offset: 1,
  });
  expect(await own.refusal("GET", "/rooms?status=x")).toEqual([400, "invalid status filter"]);
  expect(await own.refusal("GET", "/rooms?limit=x")).toEqual([
    400,
    "limit must be a whole number, at most 100",
  ]);
});

test("a tenant's configuration is what its rooms go by, and what is not served here is said so", async () => {
  const { app: own } = await newTenant();
  expect(
    await own.call("PATCH", "/tenants/me/config", {
      empty_room_timeout_minutes: 5,
      transcription_enabled: false,
    }),
  ).toMatchObject({
    max_concurrent_rooms: 100,
    config: { empty_room_timeout_minutes: 5, allow_early_join: false, duplicate_participant_policy: "allow" },
  });
  expect(await own.refusal("PATCH", "/tenants/me/config", { transcription_enabled: true })).toEqual([
    400,
    "transcription_enabled is not supported by this deployment",
  ]);
  expect(await own.refusal("GET", "/tenants/other")).toEqual([403, "access denied: tenant mismatch"]);
});

test("what does not fit is refused with what is wrong, and what is unknown is not found", async () => {
  const room = await app.newRoom();
  const path = `/rooms/${room}/participants`;
  expect(await app.refusal("POST", path, {})).toEqual([400, "display_name is required"]);
  expect(await app.refusal("POST", path, "{")).toEqual([400, "invalid JSON"]);
  expect((await app.refusal("POST", path, { display_name: "x", role: "king" }))[0]).toBe(400);
  expect((await app.refusal("POST", path, { display_name: "x", metadata: { $x: 1 } }))[0]).toBe(400);
  expect(await app.refusal("POST", `${path}/bulk`, { participants: [] })).toEqual([
    400,
    "no participants provided",
  ]);
  expect(await app.refusal("POST", `${path}/bulk`, {})).toEqual([400, "no participants provided"]);
  expect(
    await app.refusal("POST", `${path}/bulk`, { participants: Array.from({ length: 251 }, () => ({})) }),
  ).toEqual([400, "at most 250 participants are added at once"]);
  expect(await app.refusal("GET", `${path}?cursor=x`)).toEqual([400, "invalid cursor"]);
  expect(await app.refusal("GET", "/nothing")).toEqual([404, "not found"]);
  expect(await app.refusal("POST", path, `{"display_name": "${"x".repeat(1_100_000)}"}`)).toEqual([
    413,
    "request body too large",
  ]);
});

test("nobody finds another tenant's room, by whatever name", async () => {
  const { app: stranger } = await newTenant({ allow_early_join: true });
  const room = await app.newRoom({ name: "Private" });
  const ann = await add(app, room, { display_name: "Ann", external_user_id: "ann" });
  for (const id of [room, "Private"]) {
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["DELETE", ""],
      ["POST", "/end"],
      ["POST", "/join-token"],
      ["GET", "/participants"],
      ["DELETE", `/participants/${ann.participant.id}`],
      ["POST", `/participants/${ann.participant.id}/token`],
    ] as const) {
      expect(
        await stranger.refusal(method, `/rooms/${id}${path}`, method === "GET" ? undefined : {}),
      ).toEqual([404, "room not found"]);
    }
  }
  const own = await stranger.newRoom();
  expect(await stranger.refusal("DELETE", `/rooms/${own}/participants/${ann.participant.id}`)).toEqual([
    404,
    "participant not found",
  ]);
  expect(await add(stranger, "private", { display_name: "Eve" })).toMatchObject({ room_created: true });
  expect(await participantsOf(app, room)).toHaveLength(1);
});

test("250 people are added at once, and the same batch from 20 clients adds each of them once", async () => {
  const room = await app.newRoom({ config: { max_participants: 1000 } });
  const people = (count: number, prefix: string) => ({
    participants: Array.from({ length: count }, (_, index) => ({
      display_name: `P${index}`,
      external_user_id: `${prefix}${index}`,
    })),
  });
  const { results } = await app.call<{ results: Json[] }>(
    "POST",
    `/rooms/${room}/participants/bulk`,
    people(250, "many"),
  );
  expect(results.filter(({ success }) => success)).toHaveLength(250);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      app.call<{ results: Json[] }>("POST", `/rooms/${room}/participants/bulk`, people(20, "same")),
    ),
  );
  const ids = answers.map((answer) => answer.results.map(({ participant_id }) => participant_id));
  expect(new Set(ids.flat()).size).toBe(20);
  for (const given of ids) expect(given).toEqual(ids[0]);
  expect(await participantsOf(app, room)).toHaveLength(270);
  expect(await app.call("GET", `/rooms/${room}`)).toMatchObject({ participant_count: 270 });
});

test("a list of people is a page, of whom those who have left can be passed over", async () => {
  const host = await signIn(server, "lister", { organizationId: "org_lister" });
  const own = ChalkClient.withKey(server, (await newCredentials(server, "org_lister")).chalkApiKey);
  const meetingId = await newMeeting(server, host);
  await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  await call(server, host.token, "meetings/lifecycle/joinMeeting", { meetingId });
  for (const id of ["ann", "bob"]) await add(own, meetingId, { display_name: id, external_user_id: id });
  await call(server, host.token, "meetings/lifecycle/leaveMeeting", { meetingId });
  expect(await participantsOf(own, meetingId)).toMatchObject([
    { display_name: "lister", left_at: expect.stringMatching(/Z$/) },
    { display_name: "ann", left_at: null },
    { display_name: "bob", left_at: null },
  ]);
  const active = await participantsOf(own, meetingId, "?active=true");
  expect(active.map((person) => person["display_name"])).toEqual(["ann", "bob"]);

  const path = `/rooms/${meetingId}/participants?limit=2`;
  const first = await own.call<{ participants: Json[]; next_cursor: string }>("GET", path);
  const rest = await own.call<{ participants: Json[] }>("GET", `${path}&cursor=${first.next_cursor}`);
  expect([first.participants.length, rest.participants.length]).toEqual([2, 1]);
  expect(rest).not.toHaveProperty("next_cursor");
  // Who is added over this wire is there at once.
  const { page } = await call<{ page: { type: string }[] }>(
    server,
    host.token,
    "meetings/queries/listMeetingEvents",
    { meetingId, paginationOpts: { numItems: 100, cursor: null } },
  );
  expect(page.filter(({ type }) => type === "participant.joined")).toHaveLength(3);
});

test("tokens are good for their time", async () => {
  const { access_token, refresh_token } = await app.call("POST", "/auth/token", {
    api_key: credentials.chalkApiKey,
  });
  const key = createHmac("sha256", Buffer.from(credentialsKey, "base64"))
    .update("chalk tokens")
    .digest("hex");
  const expired = (token: unknown) =>
    new SignJWT({ ...decodeJwt(String(token)), exp: Math.floor(Date.now() / 1000) - 1 })
      .setProtectedHeader({ alg: "HS256" })
      .sign(Buffer.from(key));
  expect(await ChalkClient.withToken(server, await expired(access_token)).refusal("GET", "/rooms")).toEqual([
    401,
    "token has expired",
  ]);
  expect(await app.refusal("POST", "/auth/refresh", { refresh_token: await expired(refresh_token) })).toEqual(
    [401, "refresh token has expired"],
  );
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${String(access_token).split(".")[1]}.`;
  expect(await ChalkClient.withToken(server, unsigned).refusal("GET", "/rooms")).toEqual([
    401,
    "invalid token",
  ]);
});

test("bans and the tenant's limits hold here, too", async () => {
  const host = await signIn(server, "host", { organizationId: "org_chalk", role: "admin" });
  const own = ChalkClient.withKey(server, (await newCredentials(server, "org_chalk")).chalkApiKey);
  const { meetingId } = await call<{ meetingId: string }>(
    server,
    host.token,
    "meetings/lifecycle/createMeeting",
    { title: "Ours" },
  );
  await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  await add(own, meetingId, { display_name: "Ann", external_user_id: "ann" });
  await call(server, host.token, "meetings/bans/banParticipants", {
    meetingId,
    people: [{ externalId: "ann" }],
  });
  expect(
    await own.refusal("POST", `/rooms/${meetingId}/participants`, {
      display_name: "Ann",
      external_user_id: "ann",
    }),
  ).toEqual([403, "banned from the room"]);
  const seen = await participantsOf(own, meetingId);
  expect(seen).toMatchObject([{ display_name: "host", role: "host" }]);
  expect(seen[0]).not.toHaveProperty("external_user_id");

  const gone = await signIn(server, "gone", { organizationId: "org_chalk" });
  await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
    meetingId,
    participants: [{ externalId: "gone", email: "gone@example.com", role: "participant" }],
  });
  await call(server, gone.token, "users/mutations/deactivateUser", { userId: gone.userId });
  const other = await own.newRoom();
  const fields = { display_name: "Gone", external_user_id: "gone" };
  expect(await own.refusal("POST", `/rooms/${other}/participants`, fields)).toEqual([
    400,
    "user is deactivated",
  ]);
  await own.call("POST", `/rooms/${other}/end`);

  await call(server, host.token, "meetings/lifecycle/updateMeeting", { meetingId, locked: true });
  for (const [path, body] of [
    ["participants", { display_name: "Bob" }],
    ["participants/bulk", { participants: [{ display_name: "Bob" }] }],
  ] as const) {
    expect(await own.refusal("POST", `/rooms/${meetingId}/${path}`, body)).toEqual([403, "room is locked"]);
  }
  await call(server, host.token, "meetings/lifecycle/updateMeeting", { meetingId, locked: false });

  const { _id: tenantId } = await call<{ _id: string }>(server, host.token, "tenants/queries/getTenant", {});
  await asAdmin(server, "tenants/admin:setConfig", {
    tenantId,
    config: { maxConcurrentMeetings: 1, maxParticipantsPerMeeting: 1 },
  });
  expect(await own.refusal("POST", "/rooms", {})).toEqual([400, "too many active rooms"]);
  expect(await own.refusal("POST", `/rooms/${meetingId}/participants`, { display_name: "Bob" })).toEqual([
    400,
    "room is full",
  ]);
});

test("callers who ask too often, and deployments without a key, are told so", async () => {
  const slow = await startDialectServer({ RATE_LIMIT_PER_SECOND: "0.001" });
  const client = ChalkClient.withKey(slow, (await newCredentials(slow)).chalkApiKey);
  await client.call("GET", "/rooms");
  const limited = await client.send("GET", "/rooms");
  expect([limited.status, limited.body]).toEqual([429, { error: "too many requests" }]);
  expect(Number(limited.headers.get("Retry-After"))).toBeGreaterThan(0);
  const keyless = await startServer();
  const { access_token } = await app.call("POST", "/auth/token", { api_key: credentials.chalkApiKey });
  expect(await ChalkClient.withToken(keyless, access_token).refusal("GET", "/rooms")).toEqual([
    503,
    "service unavailable",
  ]);
});

test("whatever is sent, by whatever bearer, is answered, and never with a fault", async () => {
  const room = await app.newRoom();
  const ann = await add(app, room, { display_name: "Ann" });
  const segment = fc.oneof(
    fc.constantFrom(
      "rooms",
      "participants",
      "bulk",
      "auth",
      "token",
      "me",
      "tenants",
      "config",
      room,
      ann.participant.id,
    ),
    fc.webUrl().map(encodeURIComponent),
    fc.string({ maxLength: 12 }).map(encodeURIComponent),
  );
  const body = fc.record(
    {
      display_name: fc.jsonValue(),
      participants: fc.jsonValue(),
      metadata: fc.jsonValue(),
      role: fc.jsonValue(),
      config: fc.jsonValue(),
      name: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const bearer = fc.oneof(
    fc.constantFrom(ann.access_token, ann.auth_token, ann.refresh_token, credentials.chalkApiKey),
    fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x21-\x7e]/g, ".")),
    fc
      .nat(ann.access_token.length - 1)
      .map((at) => `${ann.access_token.slice(0, at)}A${ann.access_token.slice(at + 1)}`),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("POST", "PATCH", "DELETE"),
      fc.array(segment, { maxLength: 5 }),
      bearer,
      body,
      async (method, path, token, given) => {
        const { status } = await ChalkClient.withToken(server, token).send(
          method,
          `/${path.join("/")}`,
          given,
        );
        expect(status).toBeLessThan(500);
      },
    ),
    { numRuns: 150 },
  );
  expect(server.faults).toEqual([]);
});
