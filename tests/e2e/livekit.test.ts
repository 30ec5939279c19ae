/** The media server is told over HTTP of who may do what; here an HTTP server stands in its place and takes notes. */
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { TokenVerifier } from "livekit-server-sdk";
import { afterAll, expect, test } from "vitest";
import { call, newMeeting, run, signIn, startServer, type TestServer } from "./server";

const KEY = "key_of_tests";
const SECRET = "a-secret-of-tests-that-is-long-enough";

type Told = { method: string; body: Record<string, unknown>; grants: unknown };

/** Notes the calls of LiveKit's room service, and answers them as it is told to. */
class RoomServiceRecorder {
  readonly #told: Told[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Statuses of the next answers; 200 when there are none left. */
  readonly statuses: number[] = [];
  readonly #server = createHttpServer((request, response) => {
    void this.#take(request).then(() => {
      const status = this.statuses.shift() ?? 200;
      response.writeHead(status, { "Content-Type": "application/json" });
      response.end(status === 200 ? "{}" : JSON.stringify({ code: "not_found", msg: "not found" }));
    });
  });

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Waits until it has been told so many things in all, and gives them. */
  async told(count: number): Promise<Told[]> {
    while (this.#told.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#told;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #take(request: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
    this.#told.push({
      method: request.url?.replace("/twirp/livekit.RoomService/", "") ?? "",
      body: JSON.parse(Buffer.concat(chunks).toString("utf8")) as Record<string, unknown>,
      grants: (await new TokenVerifier(KEY, SECRET).verify(token)).video,
    });
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

const recorder = new RoomServiceRecorder();
afterAll(() => recorder.close());

test("a role, a removal, a deactivation, a demotion of a host and the end of a meeting reach the media server; join tokens are good until then", async () => {
  const LIVEKIT_URL = await recorder.listen();
  const server: TestServer = await startServer({
    environment: { LIVEKIT_URL, LIVEKIT_API_KEY: KEY, LIVEKIT_API_SECRET: SECRET },
  });
  const [host, ada, bob, cyd, dee, eve] = [
    await signIn(server, "host"),
    await signIn(server, "ada"),
    await signIn(server, "bob"),
    await signIn(server, "cyd"),
    await signIn(server, "dee"),
    await signIn(server, "eve"),
  ];
  const meetingId = await newMeeting(server, host);
  const { added } = await call<{ added: string[] }>(
    server,
    host.token,
    "meetings/lifecycle/addMultipleParticipants",
    {
      meetingId,
      participants: [
        ...[ada, bob, cyd, dee].map(({ userId }) => ({ userId, role: "participant" })),
        { userId: eve.userId, role: "host" },
      ],
    },
  );
  const [adaId, bobId, cydId, deeId, eveId] = added;
  await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  const { connectionInfo } = await call<{ connectionInfo: { streamToken: string; refreshToken: string } }>(
    server,
    ada.token,
    "meetings/lifecycle/getMeetingConnectionInfo",
    { meetingId },
  );
  const claims = await new TokenVerifier(KEY, SECRET).verify(connectionInfo.streamToken);
  expect(claims).toMatchObject({ sub: adaId, video: { room: meetingId, roomJoin: true } });
  const check = async () => {
    const { body } = await run(server.siteUrl, "meetings/tokens/checkJoinToken", {
      token: connectionInfo.streamToken,
    });
    return (body as { value: { active: boolean } }).value.active;
  };
  expect(await check()).toBe(true);

  recorder.statuses.push(500, 200, 404);
  await call(server, host.token, "meetings/lifecycle/updateParticipantRole", {
    meetingId,
    userId: ada.userId,
    newRole: "observer",
  });
  expect(await check()).toBe(false);
  const { status } = await run(server.siteUrl, "meetings/lifecycle/refreshJoinToken", {
    refreshToken: connectionInfo.refreshToken,
  });
  expect(status).toBe(401);
  const [failed, repeated] = await recorder.told(2);
  expect(failed).toEqual({
    method: "UpdateParticipant",
    body: {
      room: meetingId,
      identity: adaId,
      permission: { canSubscribe: true },
      attributes: { role: "observer", tokenVersion: "1" },
    },
    grants: { roomAdmin: true, room: meetingId },
  });
  expect(repeated).toEqual(failed);

  await call(server, host.token, "meetings/lifecycle/removeParticipant", { meetingId, userId: bob.userId });
  expect((await recorder.told(3))[2]).toMatchObject({
    method: "RemoveParticipant",
    body: { room: meetingId, identity: bobId, revokeTokenTs: expect.stringMatching(/^\d{10}$/) },
  });

  // Dee has never said here that she has come in, which one can on the media server alone.
  await call(server, cyd.token, "meetings/lifecycle/joinMeeting", { meetingId });
  for (const { token, userId } of [cyd, dee]) {
    await call(server, token, "users/mutations/deactivateUser", { userId });
  }
  const putOut = (await recorder.told(5)).slice(3);
  expect(putOut.map(({ method }) => method)).toEqual(["RemoveParticipant", "RemoveParticipant"]);
  expect(new Set(putOut.map(({ body }) => body["identity"]))).toEqual(new Set([cydId, deeId]));

  // Of a host LiveKit has granted that they manage the room, until they go.
  await call(server, host.token, "meetings/lifecycle/updateParticipantRole", {
    meetingId,
    userId: eve.userId,
    newRole: "participant",
  });
  expect((await recorder.told(6))[5]).toMatchObject({
    method: "RemoveParticipant",
    body: { room: meetingId, identity: eveId },
  });

  await call(server, host.token, "meetings/lifecycle/endMeeting", { meetingId });
  expect((await recorder.told(7))[6]).toMatchObject({ method: "DeleteRoom", body: { room: meetingId } });
  expect(server.faults).toEqual([]);
});
