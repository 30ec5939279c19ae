/** Who may call over Chime's wire at all: signatures, their time, their repetition, and what nobody would send. */
import { UnauthorizedException } from "@aws-sdk/client-chime-sdk-meetings";
import fc from "fast-check";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { request, type TestServer } from "../server";
import { chimeClient, newChimeMeeting, thrownBy } from "./chimeClient";
import { type ChimeRequest, send, sendSigned, signedHeaders } from "./chimeRequest";
import { newCredentials, startDialectServer } from "./tenant";

const MINUTE_MS = 60_000;
const GUID = /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/;

let server: TestServer;
let key: NewCredentials;
let MeetingId: string;

beforeAll(async () => {
  server = await startDialectServer();
  key = await newCredentials(server);
  MeetingId = await newChimeMeeting(chimeClient(server, key));
});

afterEach(() => {
  expect(server.faults).toEqual([]);
});

/** Status and type of an answer, whose body must say the same. */
async function refusal(answer: ReturnType<typeof send>): Promise<[number, string | null]> {
  const { status, headers, text } = await answer;
  const body = JSON.parse(text) as { Code: string; Message: string; RequestId: string };
  const type = headers.get("x-amzn-errortype");
  expect(`${body.Code}Exception`).toBe(type);
  expect(body.Message).not.toBe("");
  expect(body.RequestId).toMatch(GUID);
  expect(headers.get("x-amzn-requestid")).toBe(body.RequestId);
  return [status, type];
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS);
const read: ChimeRequest = { target: "" };
const reading = (): ChimeRequest => ({ ...read, target: `meetings/${MeetingId}` });

describe("a request is refused", () => {
  const INVALID = [403, "InvalidSignatureException"];

  test("without an Authorization header", async () => {
    expect(await refusal(send(server, reading(), {}))).toEqual([401, "UnauthorizedException"]);
  });

  test("with an Authorization header of another kind", async () => {
    const headers = { Authorization: "Bearer x.y.z" };
    expect(await refusal(send(server, reading(), headers))).toEqual([403, "IncompleteSignatureException"]);
  });

  test("with an unknown access key", async () => {
    const unknown = { ...key, accessKeyId: "AKCMUNKNOWN" };
    expect(await refusal(sendSigned(server, unknown, reading()))).toEqual([401, "UnauthorizedException"]);
    const error = await thrownBy(newChimeMeeting(chimeClient(server, unknown)));
    expect(error).toBeInstanceOf(UnauthorizedException);
  });

  test("with another secret", async () => {
    const wrong = { ...key, secretAccessKey: "wrong" };
    expect(await refusal(sendSigned(server, wrong, reading()))).toEqual(INVALID);
  });

  test.each([6, -6])("when it was signed %i minutes ago", async (minutes) => {
    const request = { ...reading(), signedAt: minutesAgo(minutes) };
    expect(await refusal(sendSigned(server, key, request))).toEqual(INVALID);
  });

  test("when its scope is of another day", async () => {
    const request = { ...reading(), scopeDate: "20200101" };
    expect(await refusal(sendSigned(server, key, request))).toEqual(INVALID);
  });

  test.each(["20261121", "20269999T999999Z", "yesterday"])("when its date is %s", async (date) => {
    const headers = { ...(await signedHeaders(server, key, reading())), "x-amz-date": date };
    expect(await refusal(send(server, reading(), headers))).toEqual([403, "IncompleteSignatureException"]);
  });

  test("when anything that was signed is another", async () => {
    const request: ChimeRequest = {
      method: "POST",
      target: `meetings/${MeetingId}/attendees`,
      body: '{"ExternalUserId":"ann"}',
      headers: { "x-amz-user-agent": "tests" },
    };
    const headers = await signedHeaders(server, key, request);
    const changed: [ChimeRequest, object][] = [
      [{ ...request, method: "PUT", target: `${request.target}/capabilities` }, {}],
      [{ ...request, target: `${request.target}?operation=batch-create` }, {}],
      [{ ...request, body: '{"ExternalUserId":"bob"}' }, {}],
      [request, { "x-amz-user-agent": "others" }],
      [request, { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }],
      [request, { "x-amz-date": "" }],
    ];
    for (const [other, more] of changed) {
      const [status] = await refusal(send(server, other, { ...headers, ...more }));
      expect([403, 404]).toContain(status);
    }
    expect((await send(server, request, headers)).status).toBe(200);
  });

  test("when its body is too long", async () => {
    const request = { method: "POST", target: "meetings", body: " ".repeat(1024 * 1024 + 1) };
    expect(await refusal(sendSigned(server, key, request))).toEqual([413, "RequestEntityTooLargeException"]);
  });

  test("when its body is no JSON object", async () => {
    for (const body of ["{", "[]", '"x"', "null", "1"]) {
      const request = { method: "POST", target: "meetings", body };
      expect(await refusal(sendSigned(server, key, request))).toEqual([400, "BadRequestException"]);
    }
  });

  test("when it asks for no operation", async () => {
    for (const request of [
      { target: "rooms" },
      { method: "PATCH", target: `meetings/${MeetingId}` },
      { method: "POST", target: "meetings?operation=destroy" },
    ])
      expect(await refusal(sendSigned(server, key, request))).toEqual([404, "UnknownOperationException"]);
  });
});

test("a client whose clock is wrong finds the time out by itself", async () => {
  const late = chimeClient(server, key, { systemClockOffset: -60 * MINUTE_MS });
  expect(await newChimeMeeting(late)).toMatch(GUID);
});

test("a session token and any region are no hindrance", async () => {
  const { accessKeyId, secretAccessKey } = key;
  const client = chimeClient(server, key, {
    region: "eu-central-1",
    credentials: { accessKeyId, secretAccessKey, sessionToken: "token" },
  });
  expect(await newChimeMeeting(client)).toMatch(GUID);
});

test("a request that is caught and sent again is not carried out again", async () => {
  const request = {
    method: "POST",
    target: "meetings?operation=create-attendees",
    body: JSON.stringify({
      ClientRequestToken: "caught",
      MediaRegion: "us-east-1",
      ExternalMeetingId: "caught",
      Attendees: [{ ExternalUserId: "ann" }],
    }),
  };
  const made = JSON.parse((await sendSigned(server, key, request)).text) as {
    Meeting: { MeetingId: string };
    Attendees: { AttendeeId: string }[];
  };
  const [attendee] = made.Attendees;
  const list = { target: `meetings/${made.Meeting.MeetingId}/attendees` };
  const add = { method: "POST", target: list.target, body: '{"ExternalUserId":"mallory"}' };
  const headers = await signedHeaders(server, key, add);
  const added = JSON.parse((await send(server, add, headers)).text) as { Attendee: { AttendeeId: string } };
  const remove = { method: "DELETE", target: `${list.target}/${added.Attendee.AttendeeId}` };
  expect((await sendSigned(server, key, remove)).status).toBe(204);

  const again = await Promise.all(Array.from({ length: 5 }, () => send(server, add, headers)));
  for (const { status, text } of again) {
    expect(status).toBe(200);
    // The answer of the first time, but no token for who has been removed since.
    expect(JSON.parse(text)).toEqual({
      Attendee: {
        ExternalUserId: "mallory",
        AttendeeId: added.Attendee.AttendeeId,
        Capabilities: { Audio: "SendReceive", Video: "SendReceive", Content: "SendReceive" },
      },
    });
  }
  const listed = JSON.parse((await sendSigned(server, key, list)).text) as { Attendees: object[] };
  expect(listed.Attendees).toMatchObject([{ AttendeeId: attendee?.AttendeeId }]);
});

test("nothing that is secret is kept with the answers", async () => {
  const { body } = await request(`${server.url}/api/query`, {
    headers: { Authorization: `Convex ${server.adminKey}` },
    body: {
      path: "_system/cli/tableData",
      args: { table: "idempotencyKeys", order: "asc", paginationOpts: { numItems: 100, cursor: null } },
    },
  });
  const { page } = (body as { value: { page: unknown[] } }).value;
  expect(page.length).toBeGreaterThan(0);
  expect(JSON.stringify(page)).not.toMatch(/JoinToken|eyJ/);
});

test("a deployment that cannot open its secrets says that it is unavailable, and no more", async () => {
  const first = await startDialectServer();
  const issued = await newCredentials(first);
  await first.close();
  const second = await startDialectServer({}, first.dataFolder);
  expect(await refusal(sendSigned(second, issued, { target: `meetings/${MeetingId}` }))).toEqual([
    503,
    "ServiceUnavailableException",
  ]);
});

test("no request is answered with a 5xx, or with another shape than Amazon's", async () => {
  const segment = fc.constantFrom(
    "meetings",
    MeetingId,
    "attendees",
    "tags",
    "capabilities",
    "%2e",
    "%ff",
    "..",
    "ü",
    "",
    "x".repeat(500),
  );
  const query = fc.constantFrom(
    "",
    "?operation=batch-create",
    "?max-results=-1",
    "?max-results=5&max-results=6",
    "?next-token=%00",
    "?operation",
    "?%zz=%zz",
    "?arn=arn:",
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.constant(null),
    fc.constantFrom("SendReceive", "ann", "x".repeat(70)),
  );
  const fields = [
    "ExternalUserId",
    "Attendees",
    "Capabilities",
    "Audio",
    "ClientRequestToken",
    "MediaRegion",
    "ExternalMeetingId",
    "MeetingFeatures",
    "Video",
    "__proto__",
    "$a",
  ];
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...fields), tie("value")),
    ),
  }));
  const requests = fc.record({
    method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH"),
    target: fc
      .tuple(fc.array(segment, { maxLength: 5 }), query)
      .map(([segments, tail]) => segments.join("/") + tail),
    content: fc.oneof(
      value.map((given) => JSON.stringify(given) ?? ""),
      fc.string(),
    ),
    authorization: fc.option(
      fc.string().map((text) => text.replace(/[^\x20-\x7e]/g, "")),
      { freq: 5 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, target, content, authorization }) => {
      const request = { method, target, ...(method !== "GET" && { body: content }) };
      const headers = await signedHeaders(server, key, request);
      const answer = await send(
        server,
        request,
        authorization === null ? headers : { ...headers, authorization },
      );
      expect(answer.status).toBeLessThan(500);
      // What `..` takes out of the mounted path is no longer Chime's.
      fc.pre(new URL(`${server.siteUrl}/chime/${target}`).pathname.startsWith("/chime/"));
      expect(answer.headers.get("x-amzn-requestid")).toMatch(GUID);
      const type = answer.headers.get("x-amzn-errortype");
      expect(type?.endsWith("Exception") ?? false).toBe(answer.status >= 400);
    }),
    { numRuns: 300 },
  );
});
