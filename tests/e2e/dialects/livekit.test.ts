import fc from "fast-check";
import { AccessToken, RoomServiceClient, TrackSource, type VideoGrant } from "livekit-server-sdk";
import { beforeAll, expect, test } from "vitest";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { newMeeting, request, signIn, call, type TestServer } from "../server";
import { ChalkClient } from "./chalkClient";
import { configure, newCredentials, startDialectServer } from "./tenant";

let server: TestServer;
let credentials: NewCredentials;
let client: RoomServiceClient;

beforeAll(async () => {
  server = await startDialectServer({
    LIVEKIT_API_KEY: "of-the-media-server",
    LIVEKIT_API_SECRET: "secret".repeat(8),
  });
  credentials = await newCredentials(server);
  client = clientOf(credentials);
});

function clientOf({ accessKeyId, secretAccessKey }: Pick<NewCredentials, "accessKeyId" | "secretAccessKey">) {
  return new RoomServiceClient(server.siteUrl, accessKeyId, secretAccessKey);
}

/** Adds people by their external ids, over another wire: this one has no operation for it. */
async function addPeople(room: string, externalIds: string[]): Promise<void> {
  const app = ChalkClient.withKey(server, credentials.chalkApiKey);
  await app.call("POST", `/rooms/${room}/participants/bulk`, {
    participants: externalIds.map((id) => ({ display_name: id.toUpperCase(), external_user_id: id })),
  });
}

/** Sends a request with a token of its own. */
function send(method: string, body: unknown, token: string) {
  return request(`${server.siteUrl}/twirp/livekit.RoomService/${method}`, { body, token });
}

function tokenWith(
  grant: VideoGrant,
  key = credentials.accessKeyId,
  secret = credentials.secretAccessKey,
  ttl = 60,
) {
  const token = new AccessToken(key, secret, { ttl });
  token.addGrant(grant);
  return token.toJwt();
}

test("the vendor's client makes rooms, lists them and deletes them", async () => {
  const room = await client.createRoom({
    name: "alpha",
    maxParticipants: 5,
    emptyTimeout: 600,
    metadata: "about",
  });
  expect(room).toMatchObject({
    name: "alpha",
    maxParticipants: 5,
    emptyTimeout: 600,
    metadata: "about",
    numParticipants: 0,
  });
  expect((await client.createRoom({ name: "alpha" })).sid).toBe(room.sid);
  await client.createRoom({ name: "beta" });
  expect((await client.listRooms()).map(({ name }) => name).toSorted()).toEqual(["alpha", "beta"]);
  expect(await client.listRooms(["beta", "gamma"])).toMatchObject([{ name: "beta" }]);
  await client.deleteRoom("beta");
  await expect(client.deleteRoom("beta")).rejects.toMatchObject({ status: 404, code: "not_found" });
  const again = await client.createRoom({ name: "beta" });
  expect((await client.listRooms()).map(({ sid }) => sid).toSorted()).toEqual(
    [room.sid, again.sid].toSorted(),
  );
});

test("20 clients that make the same room at once make one", async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => client.createRoom({ name: "same" })));
  expect(new Set(made.map(({ sid }) => sid)).size).toBe(1);
  expect(await client.listRooms(["same"])).toHaveLength(1);
});

test("the vendor's client finds, changes and removes the people of a meeting, whatever wire they were added by", async () => {
  const { sid } = await client.createRoom({ name: "people" });
  const meetingId = sid.replace("RM_", "");
  await addPeople(meetingId, ["ann", "bob"]);
  const ann = (await client.listParticipants("people")).find(({ name }) => name === "ANN");
  expect(ann).toMatchObject({
    name: "ANN",
    metadata: "",
    permission: { canPublish: true, canSubscribe: true },
  });
  expect(await client.listRooms(["people"])).toMatchObject([{ numParticipants: 2 }]);
  expect((await client.getParticipant("people", "ann")).identity).toBe(ann?.identity);
  expect((await client.getParticipant(meetingId, ann?.identity ?? "")).sid).toBe(ann?.sid);

  const changed = await client.updateParticipant("people", "ann", {
    name: "Anna",
    metadata: "about Ann",
    attributes: { seat: "4" },
    permission: { canSubscribe: true, canPublish: true, canPublishSources: [TrackSource.MICROPHONE] },
  });
  expect(changed).toMatchObject({
    name: "Anna",
    metadata: "about Ann",
    attributes: { seat: "4" },
    permission: { canSubscribe: true, canPublish: true, canPublishSources: [TrackSource.MICROPHONE] },
  });
  const removed = await client.updateParticipant("people", "ann", { attributes: { seat: "" } });
  expect(removed).toMatchObject({ name: "Anna", attributes: {} });

  await client.removeParticipant("people", "bob");
  await expect(client.getParticipant("people", "bob")).rejects.toMatchObject({
    status: 404,
    code: "not_found",
  });
  expect(await client.listParticipants("people")).toHaveLength(1);
});

test("an attribute whose name can't be kept is refused, and nothing is changed", async () => {
  const { sid } = await client.createRoom({ name: "named" });
  await addPeople(sid.replace("RM_", ""), ["ann"]);
  for (const key of ["部门", "$x", "_x"]) {
    const update = client.updateParticipant("named", "ann", { name: "Anna", attributes: { [key]: "2" } });
    await expect(update).rejects.toMatchObject({ status: 400, code: "invalid_argument" });
  }
  expect(await client.getParticipant("named", "ann")).toMatchObject({ name: "ANN", attributes: {} });
});

test("permissions that the role takes away stay away", async () => {
  const { sid } = await client.createRoom({ name: "observed" });
  const app = ChalkClient.withKey(server, credentials.chalkApiKey);
  await app.call("POST", `/rooms/${sid.replace("RM_", "")}/participants`, {
    display_name: "Eve",
    external_user_id: "eve",
    role: "observer",
  });
  const permission = { canSubscribe: true, canPublish: true };
  const changed = await client.updateParticipant("observed", "eve", { permission });
  expect(changed.permission).toMatchObject({ canSubscribe: true, canPublish: false });
});

test("a token opens what it grants, if a tenant's access key has signed it", async () => {
  await client.createRoom({ name: "granted" });
  const body = { room: "granted" };
  const refusal = async (method: string, token: Promise<string> | string) => {
    const answer = await send(method, body, await token);
    return [answer.status, (answer.body as { code?: string }).code];
  };
  const admin = { roomAdmin: true, room: "granted" };
  expect(await refusal("ListParticipants", tokenWith(admin))).toEqual([200, undefined]);
  expect(await refusal("ListParticipants", tokenWith({ ...admin, room: "other" }))).toEqual([
    403,
    "permission_denied",
  ]);
  expect(await refusal("ListParticipants", tokenWith({ room: "granted", roomList: true }))).toEqual([
    403,
    "permission_denied",
  ]);
  expect(await refusal("ListRooms", tokenWith(admin))).toEqual([403, "permission_denied"]);
  expect(await refusal("DeleteRoom", tokenWith({ roomList: true }))).toEqual([403, "permission_denied"]);
  const unauthenticated = [401, "unauthenticated"];
  expect(await refusal("ListParticipants", "x.y.z")).toEqual(unauthenticated);
  expect(await refusal("ListParticipants", tokenWith(admin, credentials.accessKeyId, "wrong"))).toEqual(
    unauthenticated,
  );
  expect(
    await refusal("ListParticipants", tokenWith(admin, "of-the-media-server", "secret".repeat(8))),
  ).toEqual(unauthenticated);
  expect(
    await refusal(
      "ListParticipants",
      tokenWith(admin, credentials.accessKeyId, credentials.secretAccessKey, -120),
    ),
  ).toEqual(unauthenticated);
  expect(await refusal("MutePublishedTrack", tokenWith(admin))).toEqual([501, "unimplemented"]);
  const nowhere = await request(`${server.siteUrl}/twirp/other.Service/Call`, { body: {} });
  expect([nowhere.status, nowhere.body]).toEqual([
    404,
    { code: "bad_route", msg: "there is no such service" },
  ]);
});

test("what does not fit, what is too much and what is asked otherwise are refused with Twirp's codes", async () => {
  const token = await tokenWith({ roomCreate: true, roomList: true });
  const codeOf = ({ status, body }: Awaited<ReturnType<typeof send>>) => [
    status,
    (body as { code?: string }).code,
  ];
  for (const body of ["{", ""]) {
    expect(codeOf(await send("ListRooms", body, token))).toEqual([400, "malformed"]);
  }
  for (const body of [[], { name: 5 }, { name: "x", maxParticipants: -1 }, { name: "x".repeat(1_100_000) }]) {
    expect(codeOf(await send("CreateRoom", body, token))).toEqual([400, "invalid_argument"]);
  }
  const url = `${server.siteUrl}/twirp/livekit.RoomService/ListRooms`;
  const otherwise = [{ token }, { token, body: "{}", headers: { "Content-Type": "application/protobuf" } }];
  for (const options of otherwise) {
    expect(codeOf(await request(url, options))).toEqual([404, "bad_route"]);
  }
});

test("a tenant's rooms, a room's people and a caller's requests are not too many", async () => {
  const few = clientOf(await newCredentials(server, "few"));
  await configure(server, "few", { maxConcurrentMeetings: 1 });
  await few.createRoom({ name: "one" });
  const exhausted = { status: 429, code: "resource_exhausted" };
  await expect(few.createRoom({ name: "two" })).rejects.toMatchObject(exhausted);

  const { sid } = await client.createRoom({ name: "many", maxParticipants: 3000 });
  const people = Array.from({ length: 2001 }, (_, index) => `many${index}`);
  for (let from = 0; from < people.length; from += 250) {
    await addPeople(sid.replace("RM_", ""), people.slice(from, from + 250));
  }
  await expect(client.listParticipants("many")).rejects.toMatchObject(exhausted);
  await client.removeParticipant("many", "many0");
  expect(await client.listParticipants("many")).toHaveLength(2000);

  const slow = await startDialectServer({ RATE_LIMIT_PER_SECOND: "0.001" });
  const { accessKeyId, secretAccessKey } = await newCredentials(slow);
  const hurried = new RoomServiceClient(slow.siteUrl, accessKeyId, secretAccessKey);
  await hurried.listRooms();
  await expect(hurried.listRooms()).rejects.toMatchObject(exhausted);
});

test("another tenant's rooms are not there, nor is the last host to be removed", async () => {
  const host = await signIn(server, "host", { organizationId: "org_livekit" });
  const meetingId = await newMeeting(server, host);
  await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  const own = clientOf(await newCredentials(server, "org_livekit"));
  const [row] = await own.listParticipants(meetingId);
  expect(row?.name).toBe("host");
  expect(await own.listRooms()).toMatchObject([{ name: meetingId, sid: `RM_${meetingId}` }]);
  await expect(own.removeParticipant(meetingId, row?.identity ?? "")).rejects.toMatchObject({
    status: 412,
    code: "failed_precondition",
  });
  const attempts = [
    client.listParticipants(meetingId),
    client.removeParticipant(meetingId, row?.identity ?? ""),
    client.deleteRoom(meetingId),
  ];
  await Promise.all(
    attempts.map((attempt) => expect(attempt).rejects.toMatchObject({ status: 404, code: "not_found" })),
  );
});

test("whatever is sent is answered, and never with a fault", async () => {
  const token = await tokenWith({ roomAdmin: true, room: "people", roomCreate: true, roomList: true });
  const methods = [
    "CreateRoom",
    "ListRooms",
    "DeleteRoom",
    "ListParticipants",
    "GetParticipant",
    "UpdateParticipant",
    "RemoveParticipant",
    "x/y",
  ];
  const field = fc.oneof(fc.constant("people"), fc.jsonValue());
  const body = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        room: field,
        identity: field,
        name: field,
        names: field,
        attributes: field,
        permission: field,
        max_participants: field,
      },
      { requiredKeys: [] },
    ),
  );
  const bearer = fc.oneof(
    fc.constant(token),
    fc.nat(token.length - 1).map((at) => `${token.slice(0, at)}A${token.slice(at + 1)}`),
    fc.base64String(),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), body, bearer, async (method, given, sent) => {
      const { status } = await send(method, given, sent);
      expect(status === 501 || status < 500).toBe(true);
    }),
    { numRuns: 100 },
  );
  expect(server.faults).toEqual([]);
});
