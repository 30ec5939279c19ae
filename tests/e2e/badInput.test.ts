import { createHmac, randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { copyApp, edit } from "./appCopy";
import { problems } from "./openapiSchema";
import {
  call,
  getMeeting,
  newMeeting,
  request,
  run,
  signIn,
  startServer,
  tokenFor,
  type Answer,
  type Person,
  type TestServer,
} from "./server";

const ADD = "meetings/lifecycle/addMultipleParticipants";
const CREATE = "meetings/lifecycle/createMeeting";
const WEBHOOK_SECRET = "whsec_test";
const PAGE = "https://app.example.com";

let server: TestServer;
/** Another deployment: its ids and tokens mean nothing here. */
let other: TestServer;
let host: Person;
let ann: Person;
let bob: Person;
let meetingId: string;

beforeAll(async () => {
  [server, other] = await Promise.all([
    startServer({
      environment: {
        ALLOWED_ORIGINS: `${PAGE}, http://localhost:5173`,
        WORKOS_WEBHOOK_SECRET: WEBHOOK_SECRET,
      },
    }),
    startServer(),
  ]);
  [host, ann, bob] = await Promise.all([
    signIn(server, "host"),
    signIn(server, "ann"),
    signIn(server, "bob"),
  ]);
  meetingId = await newMeeting(server, host);
});

/** Sends any body to a function on the site origin, as the host. */
function send(body: unknown, options: { path?: string; headers?: Record<string, string> } = {}) {
  return request(`${server.siteUrl}/api/run/${options.path ?? ADD}`, {
    body,
    token: host.token,
    ...(options.headers && { headers: options.headers }),
  });
}

/** An error's status and code, once it has the shape that the document promises. */
function refusal({ status, body, headers }: Answer): string {
  const wrong = problems("FailedResponse", body);
  if (!headers.get("content-type")?.startsWith("application/json")) wrong.push("not sent as JSON");
  if (wrong.length > 0) return `${status}, but ${wrong.join(", ")}: ${JSON.stringify(body)}`;
  return `${status} ${(body as { errorData: { code: string } }).errorData.code}`;
}

describe("200", () => {
  test("a success says so and holds the value", async () => {
    const answer = await run(server.siteUrl, "meetings/queries/getMeeting", { meetingId }, host.token);
    expect(answer).toMatchObject({ status: 200, body: { status: "success", value: { _id: meetingId } } });
    expect(problems("Response_meetings.queries.getMeeting", answer.body)).toEqual([]);
  });

  test("a function without a result answers null", async () => {
    const answer = await run(server.siteUrl, "users/mutations/updateLastSeen", {}, host.token);
    expect(answer).toMatchObject({ status: 200, body: { status: "success", value: null } });
  });

  test("a media type may have a charset", async () => {
    const headers = { "Content-Type": "Application/JSON; charset=utf-8" };
    const answer = await send({ args: { meetingId, participants: [] } }, { headers });
    expect(answer.status).toBe(200);
  });
});

describe("400", () => {
  test.each([
    ["nothing", ""],
    ["half an object", '{"args": {"meetingId":'],
    ["two objects", "{}{}"],
    ["single quotes", "{'args': {}}"],
    ["NaN", '{"args": {"meetingId": NaN}}'],
    ["a NUL after the object", "{}\0"],
  ])("a body of %s is not JSON", async (_what, body) => {
    const answer = await send(body);
    expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
    expect(answer.body).toMatchObject({ errorMessage: "The body is not valid JSON" });
  });

  test("bytes that are not UTF-8 are no JSON", async () => {
    const response = await fetch(`${server.siteUrl}/api/run/${ADD}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${host.token}` },
      body: Buffer.concat([Buffer.from('{"args": {"meetingId": "'), Buffer.from([0xff]), Buffer.from('"}}')]),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errorMessage: "The body is not valid JSON" });
  });

  test.each(["made up", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])(
    "%j is no cursor of a list",
    async (cursor) => {
      const args = { meetingId, paginationOpts: { numItems: 10, cursor } };
      const answer = await run(server.siteUrl, "meetings/queries/listMeetingParticipants", args, host.token);
      expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
      expect(answer.body).toMatchObject({ errorData: { issues: [{ path: "paginationOpts.cursor" }] } });
    },
  );

  test.each(["maximumRowsRead", "maximumBytesRead"])(
    "the bound %s of a page is a whole number from 1 up",
    async (bound) => {
      const list = (most: number) => {
        const args = { meetingId, paginationOpts: { numItems: 10, cursor: null, [bound]: most } };
        return run(server.siteUrl, "meetings/queries/listMeetingParticipants", args, host.token);
      };
      for (const most of [0, -1, 0.5]) {
        const answer = await list(most);
        expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
        expect(answer.body).toMatchObject({ errorData: { issues: [{ path: `paginationOpts.${bound}` }] } });
      }
      expect((await list(1)).status).toBe(200);
    },
  );

  test.each(["null", "[]", '"text"', "42", "true"])("a body of %s is no object", async (body) => {
    expect(refusal(await send(body))).toBe("400 INVALID_ARGUMENT");
  });

  test.each([
    ["a missing field", { participants: [] }, "meetingId"],
    ["a wrong type", { meetingId: 7, participants: [] }, "meetingId"],
    ["null", { meetingId: null, participants: [] }, "meetingId"],
    ["an object in place of a list", { meetingId: "x", participants: {} }, "participants"],
    [
      "an unknown role",
      { meetingId: "x", participants: [{ userId: "x", role: "king" }] },
      "participants.0.role",
    ],
    ["an entry without a role", { meetingId: "x", participants: [{ userId: "x" }] }, "participants.0.role"],
    ["text in place of an entry", { meetingId: "x", participants: ["x"] }, "participants.0"],
    ["half a surrogate pair", { meetingId: "\ud800", participants: [] }, "meetingId"],
  ])("%s is named by its field", async (_what, args, field) => {
    const answer = await send({ args });
    expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
    const { errorMessage, errorData } = answer.body as {
      errorMessage: string;
      errorData: { issues: { path: string }[] };
    };
    expect(errorData.issues.map(({ path }) => path)).toEqual([field]);
    expect(errorMessage.startsWith(`${field}: `)).toBe(true);
  });

  test("all that is wrong is listed, not only the first", async () => {
    const participants = [{ userId: "x", role: "king" }, { userId: 1, role: "host" }, "x"];
    const { body } = await send({ args: { meetingId: 1, participants } });
    const { issues } = (body as { errorData: { issues: { path: string }[] } }).errorData;
    expect(issues.map(({ path }) => path)).toEqual([
      "meetingId",
      "participants.0.role",
      "participants.1.userId",
      "participants.2",
    ]);
  });

  test.each([
    ["in the arguments", { args: { meetingId: "x", participants: [], surprise: 1 } }],
    ["beside the arguments", { args: { meetingId: "x", participants: [] }, surprise: 1 }],
    ["in an entry", { args: { meetingId: "x", participants: [{ userId: "x", role: "host", surprise: 1 }] } }],
  ])("a field that nobody knows is refused %s", async (_where, body) => {
    const answer = await send(body);
    expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
    expect(JSON.stringify(answer.body)).toContain("surprise");
  });

  test.each([
    ["an empty title", { title: " " }, "title"],
    ["a long title", { title: "x".repeat(201) }, "title"],
    ["no place", { title: "x", maxParticipants: 0 }, "maxParticipants"],
    ["half a place", { title: "x", maxParticipants: 1.5 }, "maxParticipants"],
    ["too many places", { title: "x", maxParticipants: 100_001 }, "maxParticipants"],
    [
      "three in a one-on-one",
      { title: "x", meetingType: "one-on-one", maxParticipants: 3 },
      "maxParticipants",
    ],
    ["a minute less one", { title: "x", duration: 59_999 }, "duration"],
    ["a negative time", { title: "x", scheduledAt: -1 }, "scheduledAt"],
  ])("a meeting with %s can't be", async (_what, args, field) => {
    const answer = await send({ args }, { path: CREATE });
    expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
    expect(answer.body).toMatchObject({ errorData: { issues: [{ path: field }] } });
  });

  test.each(["1e999", "-1e999", "1e308"])("the number %s is no time", async (number) => {
    const answer = await send(`{"args": {"title": "x", "scheduledAt": ${number}}}`, { path: CREATE });
    expect(refusal(answer)).toBe("400 INVALID_ARGUMENT");
  });
});

describe("401", () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

  const credentials: Record<string, () => string | Promise<string>> = {
    "an empty token": () => "Bearer ",
    "a word": () => "Bearer garbage",
    "three words": () => "Bearer a.b.c",
    "another scheme": () => `Basic ${Buffer.from("host:secret").toString("base64")}`,
    "a token without its scheme": () => host.token,
    "an expired token": async () =>
      `Bearer ${await tokenFor(server, "host@example.com", { expiresInSeconds: -60 })}`,
    "a token signed by another deployment": async () => `Bearer ${await tokenFor(other, "host@example.com")}`,
    "a token that is not signed": () => {
      const [, claims = ""] = host.token.split(".");
      return `Bearer ${part({ alg: "none", typ: "JWT" })}.${claims}.`;
    },
    "a token that is signed with a word of the public key": () => {
      const [header = "", claims = ""] = host.token.split(".");
      const { kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string };
      const signed = `${part({ alg: "HS256", kid })}.${claims}`;
      return `Bearer ${signed}.${createHmac("sha256", kid).update(signed).digest("base64url")}`;
    },
    "a token whose claims were changed": async () => {
      const [header, , signature] = host.token.split(".");
      const iss = "https://api.workos.com/user_management/client_development";
      return `Bearer ${header}.${part({ iss, sub: ann.workosUserId, exp: inAnHour() })}.${signature}`;
    },
    "a token with a cut signature": () => `Bearer ${host.token.slice(0, -8)}`,
    "a wrong admin key": () => `Convex embedded|${randomBytes(32).toString("hex")}`,
    "the admin key, which is nobody's identity": () => `Convex ${server.adminKey}`,
  };

  test.each(Object.keys(credentials))("%s is refused, and nothing happens", async (what) => {
    const authorization = await credentials[what]?.();
    const before = (await getMeeting(server, host, meetingId)).participantCount;
    const answer = await request(`${server.siteUrl}/api/run/${ADD}`, {
      headers: { Authorization: authorization ?? "" },
      body: { args: { meetingId, participants: [{ userId: ann.userId, role: "participant" }] } },
    });
    expect(refusal(answer)).toBe("401 UNAUTHENTICATED");
    expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    expect((await getMeeting(server, host, meetingId)).participantCount).toBe(before);
  });

  test("no token is refused before anything is said of the body", async () => {
    expect(refusal(await request(`${server.siteUrl}/api/run/${ADD}`, { body: "{" }))).toBe(
      "401 UNAUTHENTICATED",
    );
  });

  test("a webhook without WorkOS's signature changes nothing", async () => {
    const token = await tokenFor(server, "stranger@example.com");
    const payload = userCreated(subjectOf(token));
    for (const headers of [
      {},
      { "WorkOS-Signature": "t=1, v1=00" },
      signatureOf(payload, "another secret"),
    ]) {
      const answer = await request(`${server.siteUrl}/webhooks/workos`, { body: payload, headers });
      expect(refusal(answer)).toBe("401 WEBHOOK_SIGNATURE_INVALID");
    }
    expect(await call(server, token, "users/queries/getCurrentUser", {})).toBeNull();
  });
});

test("a webhook with WorkOS's signature creates the user whom it tells of", async () => {
  const token = await tokenFor(server, "hooked@example.com");
  const getCurrentUser = () => call(server, token, "users/queries/getCurrentUser", {});
  expect(await getCurrentUser()).toBeNull();
  const sub = subjectOf(token);
  const body = userCreated(sub);
  const answer = await request(`${server.siteUrl}/webhooks/workos`, {
    body,
    headers: signatureOf(body, WEBHOOK_SECRET),
  });
  expect(answer).toMatchObject({ status: 200, body: { status: "success" } });
  expect(await getCurrentUser()).toMatchObject({ workosUserId: sub, email: "hooked@example.com" });
});

/** WorkOS's id of the user whose token it is. */
function subjectOf(token: string): string {
  const [, claims = ""] = token.split(".");
  return (JSON.parse(Buffer.from(claims, "base64url").toString()) as { sub: string }).sub;
}

function userCreated(id: string): string {
  const at = new Date().toISOString();
  return JSON.stringify({
    id: `event_${id}`,
    event: "user.created",
    created_at: at,
    data: {
      object: "user",
      id,
      email: "hooked@example.com",
      email_verified: true,
      first_name: "Hook",
      last_name: "Ed",
      profile_picture_url: null,
      created_at: at,
      updated_at: at,
    },
  });
}

function signatureOf(payload: string, secret: string): { "WorkOS-Signature": string } {
  const at = Date.now();
  const digest = createHmac("sha256", secret).update(`${at}.${payload}`).digest("hex");
  return { "WorkOS-Signature": `t=${at}, v1=${digest}` };
}

describe("403", () => {
  test("who has not signed up is told to", async () => {
    const token = await tokenFor(server, "new@example.com");
    expect(refusal(await run(server.siteUrl, CREATE, { title: "x" }, token))).toBe(
      "403 USER_NOT_PROVISIONED",
    );
  });

  test("who is deactivated can do nothing any more", async () => {
    const gone = await signIn(server, "gone");
    await call(server, gone.token, "users/mutations/deactivateUser", { userId: gone.userId });
    expect(refusal(await run(server.siteUrl, CREATE, { title: "x" }, gone.token))).toBe(
      "403 USER_DEACTIVATED",
    );
  });

  test("who is not the host may not add people, and who is not in the meeting may not see it", async () => {
    expect(refusal(await run(server.siteUrl, ADD, { meetingId, participants: [] }, bob.token))).toBe(
      "403 FORBIDDEN",
    );
    expect(refusal(await run(server.siteUrl, "meetings/queries/getMeeting", { meetingId }, bob.token))).toBe(
      "403 FORBIDDEN",
    );
  });

  test("a user id in the arguments grants nothing", async () => {
    expect(
      refusal(await run(server.siteUrl, CREATE, { title: "x", organizerId: ann.userId }, host.token)),
    ).toBe("403 FORBIDDEN");
    expect(
      refusal(
        await run(server.siteUrl, "users/mutations/deactivateUser", { userId: ann.userId }, host.token),
      ),
    ).toBe("403 FORBIDDEN");
  });
});

describe("404", () => {
  test.each([
    "meetings/lifecycle/nothing",
    "meetings/nothing",
    "nothing",
    "",
    "users/sync/applyEvent",
    "meetings/lifecycle:addMultipleParticipants",
    `${ADD}/`,
    "meetings/lifecycle/__proto__",
  ])("there is no public function %s", async (path) => {
    const answer = await request(`${server.siteUrl}/api/run/${path}`, {
      token: host.token,
      body: { args: {} },
    });
    expect(refusal(answer)).toBe("404 FUNCTION_NOT_FOUND");
  });

  test("a path that is nobody's is not found, whatever the method", async () => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
      const answer = await request(`${server.siteUrl}/no/such/path`, { method });
      expect(refusal(answer)).toBe("404 NOT_FOUND");
    }
  });

  test("a path that begins with two slashes is none of those with one", async () => {
    const paths = ["//health", `//api/run/${ADD}`, `//x/api/run/${ADD}`];
    for (const path of paths) {
      for (const method of ["GET", "POST"]) {
        const answer = await request(`${server.siteUrl}${path}`, { method, token: host.token });
        expect(refusal(answer)).toBe("404 NOT_FOUND");
      }
    }
  });

  test("a meeting is not found by a malformed id, an id of another table, or an id of another deployment", async () => {
    const stranger = await signIn(other, "host");
    const elsewhere = await newMeeting(other, stranger);
    for (const id of [
      "x",
      "meeting_123example",
      host.userId,
      elsewhere,
      `${meetingId}\0`,
      "",
      "x".repeat(100_000),
    ]) {
      expect(refusal(await send({ args: { meetingId: id, participants: [] } }))).toBe(
        "404 MEETING_NOT_FOUND",
      );
    }
  });

  test("a person who is not in the meeting can't be removed from it", async () => {
    const answer = await send(
      { args: { meetingId, userId: bob.userId } },
      { path: "meetings/lifecycle/removeParticipant" },
    );
    expect(refusal(answer)).toBe("404 PARTICIPANT_NOT_FOUND");
  });
});

describe("405", () => {
  test.each([
    ["GET", `/api/run/${ADD}`, "POST"],
    ["PUT", `/api/run/${ADD}`, "POST"],
    ["DELETE", `/api/run/${ADD}`, "POST"],
    ["PATCH", "/webhooks/workos", "POST"],
    ["POST", "/health", "GET"],
    ["DELETE", "/openapi.json", "GET"],
  ])("%s %s is answered with the method that works", async (method, path, allowed) => {
    const answer = await request(`${server.siteUrl}${path}`, { method, token: host.token });
    expect(refusal(answer)).toBe("405 METHOD_NOT_ALLOWED");
    expect(answer.headers.get("allow")).toBe(allowed);
  });

  test("HEAD is answered like GET, without a body", async () => {
    const answer = await request(`${server.siteUrl}/health`, { method: "HEAD" });
    expect(answer).toMatchObject({ status: 200, body: "" });
  });
});

describe("409", () => {
  test("a meeting that was started, ended or cancelled takes only what its state allows", async () => {
    const active = await newMeeting(server, host);
    const cancelled = await newMeeting(server, host);
    const act = (action: string, id: string) =>
      run(server.siteUrl, `meetings/lifecycle/${action}`, { meetingId: id }, host.token);
    await act("startMeeting", active);
    await act("cancelMeeting", cancelled);
    expect(refusal(await act("startMeeting", active))).toBe("409 MEETING_ALREADY_ACTIVE");
    expect(refusal(await act("cancelMeeting", active))).toBe("409 MEETING_ACTIVE");
    expect(refusal(await act("startMeeting", cancelled))).toBe("409 MEETING_CLOSED");
    expect(refusal(await act("joinMeeting", cancelled))).toBe("409 MEETING_NOT_ACTIVE");
    await act("endMeeting", active);
    expect(refusal(await act("endMeeting", active))).toBe("409 MEETING_NOT_ACTIVE");
    expect(refusal(await send({ args: { meetingId: active, participants: [] } }))).toBe("409 MEETING_CLOSED");
  });

  test("a person who is in the meeting can't be added alone again", async () => {
    const answer = await send(
      { args: { meetingId, userId: host.userId, role: "participant" } },
      { path: "meetings/lifecycle/addParticipant" },
    );
    expect(refusal(answer)).toBe("409 ALREADY_PARTICIPANT");
  });
});

describe("413", () => {
  test.each([
    ["1 MiB and a byte", 1024 * 1024 + 1],
    ["25 MiB", 25 * 1024 * 1024],
  ])("a body of %s is too large", async (_size, bytes) => {
    const answer = await send(`${" ".repeat(bytes - 2)}{}`);
    expect(answer.status).toBe(413);
  });

  test("a body of 1 MiB is read", async () => {
    const text = JSON.stringify({ args: { meetingId, participants: [] } });
    const answer = await send(text + " ".repeat(1024 * 1024 - text.length));
    expect(answer.status).toBe(200);
  });
});

describe("415", () => {
  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp"])(
    "%s is not read",
    async (type) => {
      const answer = await send(
        { args: { meetingId, participants: [] } },
        { headers: { "Content-Type": type } },
      );
      expect(refusal(answer)).toBe("415 UNSUPPORTED_MEDIA_TYPE");
    },
  );

  test("a body without a media type is not read", async () => {
    const response = await fetch(`${server.siteUrl}/api/run/${ADD}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${host.token}` },
      body: Buffer.from("{}"),
    });
    expect(response.status).toBe(415);
    await response.body?.cancel();
  });
});

describe("422", () => {
  const add = (id: string, person: Person) =>
    send(
      { args: { meetingId: id, userId: person.userId, role: "participant" } },
      { path: "meetings/lifecycle/addParticipant" },
    );

  test("a full meeting takes nobody", async () => {
    const full = await newMeeting(server, host, { maxParticipants: 1 });
    expect(refusal(await add(full, ann))).toBe("422 MEETING_FULL");
  });

  test("a one-on-one takes no third person", async () => {
    const pair = await newMeeting(server, host, { meetingType: "one-on-one" });
    expect((await add(pair, ann)).status).toBe(200);
    expect(refusal(await add(pair, bob))).toBe("422 ONE_ON_ONE_FULL");
  });

  test("a person who is deactivated can't be added", async () => {
    const left = await signIn(server, "left");
    await call(server, left.token, "users/mutations/deactivateUser", { userId: left.userId });
    expect(refusal(await add(meetingId, left))).toBe("422 USER_INACTIVE");
  });

  test("the last host stays", async () => {
    const answer = await send(
      { args: { meetingId, userId: host.userId } },
      { path: "meetings/lifecycle/removeParticipant" },
    );
    expect(refusal(answer)).toBe("422 LAST_HOST");
  });

  test("a meeting can't be scheduled in the past", async () => {
    expect(refusal(await send({ args: { title: "x", scheduledAt: 1 } }, { path: CREATE }))).toBe(
      "422 SCHEDULED_IN_PAST",
    );
  });
});

describe("429", () => {
  test("who sends more than the rate is told when to come back, and others are not held up", async () => {
    const limited = await startServer({ environment: { RATE_LIMIT_PER_SECOND: "1" } });
    const [eager, calm] = [await signIn(limited, "eager"), await signIn(limited, "calm")];
    const create = (person: Person) => run(limited.siteUrl, CREATE, { title: "x" }, person.token);
    // Four seconds' worth may be sent at once, and signing up was one.
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(eager)));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(3);
    expect(refused.length).toBeGreaterThanOrEqual(12);
    for (const answer of refused) {
      expect(refusal(answer)).toBe("429 RATE_LIMITED");
      const { retryAfterMs } = (answer.body as { errorData: { retryAfterMs: number } }).errorData;
      expect(retryAfterMs).toBeGreaterThan(0);
      expect(answer.headers.get("retry-after")).toBe(String(Math.ceil(retryAfterMs / 1000)));
    }
    expect((await create(calm)).status).toBe(200);
    expect(limited.faults).toEqual([]);
  });
});

describe("500 and 503", () => {
  test("a mistake in the server's code is answered without any of its details", async () => {
    const appFolder = await copyApp();
    await edit(
      appFolder,
      "model/meetings.ts",
      "export async function createMeeting(",
      'export async function createMeeting(): Promise<never> { throw new Error("the secret detail"); }\nexport async function _unused(',
    );
    const broken = await startServer({ appFolder });
    const person = await signIn(broken, "host");
    const answer = await run(broken.siteUrl, CREATE, { title: "x" }, person.token);
    expect(refusal(answer)).toBe("500 INTERNAL_ERROR");
    expect(answer.body).toEqual({
      status: "error",
      errorMessage: "Something went wrong on the server",
      errorData: { code: "INTERNAL_ERROR", message: "Something went wrong on the server" },
    });
    expect((await run(broken.siteUrl, "users/queries/getCurrentUser", {}, person.token)).status).toBe(200);
  });

  test("a wrong setting is the operator's to mend", async () => {
    const wrong = await startServer({ environment: { RATE_LIMIT_PER_SECOND: "many" } });
    const answer = await run(
      wrong.siteUrl,
      CREATE,
      { title: "x" },
      await tokenFor(wrong, "host@example.com"),
    );
    expect(refusal(answer)).toBe("503 NOT_CONFIGURED");
  });
});

describe("web pages of other origins", () => {
  const preflight = (origin: string) =>
    request(`${server.siteUrl}/api/run/${ADD}`, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
      },
    });

  test.each([PAGE, "http://localhost:5173"])("a page of %s may send a token and JSON", async (origin) => {
    const { status, headers } = await preflight(origin);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    expect(headers.get("access-control-allow-methods")).toContain("POST");
    expect(headers.get("access-control-allow-headers")?.toLowerCase()).toContain("authorization");
    expect(headers.get("access-control-allow-headers")?.toLowerCase()).toContain("content-type");
    expect(headers.get("vary")).toContain("Origin");
  });

  test.each(["https://evil.example.com", "null", `${PAGE}.evil.example.com`, "http://app.example.com"])(
    "a page of %s may not",
    async (origin) => {
      const { headers } = await preflight(origin);
      expect(headers.get("access-control-allow-origin")).toBeNull();
      expect(headers.get("access-control-allow-headers")).toBeNull();
    },
  );

  test.each([
    ["a success", 200, "/health", {}],
    ["a 401", 401, `/api/run/${ADD}`, { method: "POST" }],
    ["a 404", 404, "/nothing", {}],
    ["a 405", 405, `/api/run/${ADD}`, {}],
  ])("%s can be read by a configured origin and by no other", async (_what, status, path, options) => {
    const ask = (Origin: string) => request(`${server.siteUrl}${path}`, { ...options, headers: { Origin } });
    const ours = await ask(PAGE);
    expect(ours.status).toBe(status);
    expect(ours.headers.get("access-control-allow-origin")).toBe(PAGE);
    expect(ours.headers.get("access-control-expose-headers")).toContain("Retry-After");
    const foreign = await ask("https://evil.example.com");
    expect(foreign.status).toBe(status);
    expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
    expect(foreign.headers.get("vary")).toContain("Origin");
  });

  test("without a configured origin there is none", async () => {
    const answer = await request(`${other.siteUrl}/health`, { headers: { Origin: PAGE } });
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });
});

test("the runtime had nothing to blame itself for", () => {
  expect([...server.faults, ...other.faults]).toEqual([]);
});
