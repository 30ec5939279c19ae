/** The cloud origin answers as Convex does: statuses of HTTP for the request, `status` in the body for the function. */
import { createHmac } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import {
  newMeeting,
  request,
  signIn,
  startServer,
  tokenFor,
  type Answer,
  type Person,
  type TestServer,
} from "./server";

const CREATE = "meetings/lifecycle:createMeeting";
const CURRENT = "users/queries:getCurrentUser";

let server: TestServer;
let other: TestServer;
let host: Person;
let meetingId: string;

beforeAll(async () => {
  [server, other] = await Promise.all([startServer(), startServer()]);
  host = await signIn(server, "host");
  meetingId = await newMeeting(server, host);
});

/** Sends a body to a path of the API, by default with the host's token. */
function send(path: string, body: unknown, headers: Record<string, string> = bearer(host.token)) {
  return request(`${server.url}${path}`, { body, headers });
}

function bearer(token: string) {
  return { Authorization: `Bearer ${token}` };
}

function admin(key = server.adminKey) {
  return { Authorization: `Convex ${key}` };
}

/** How a request was refused before any function ran. */
function refusal({ status, body }: Answer): string {
  const { code, message } = body as { code?: unknown; message?: unknown };
  if (typeof code !== "string" || typeof message !== "string") throw new Error(JSON.stringify(body));
  return `${status} ${code}`;
}

/** The message with which a function failed, which is no failure of HTTP. */
function failure({ status, body }: Answer): string {
  const outcome = body as { status: string; errorMessage: string };
  if (status !== 200 || outcome.status !== "error") throw new Error(`${status} ${JSON.stringify(body)}`);
  return outcome.errorMessage;
}

describe("calling functions", () => {
  test("a mutation and a query by their paths", async () => {
    const created = await send("/api/mutation", { path: CREATE, args: { title: "x" } });
    expect(created).toMatchObject({ status: 200, body: { status: "success" } });
    const { value } = created.body as { value: { meetingId: string } };
    const read = await send("/api/query", {
      path: "meetings/queries:getMeeting",
      args: { meetingId: value.meetingId },
    });
    expect(read).toMatchObject({ status: 200, body: { status: "success", value: { title: "x" } } });
  });

  test.each([
    ["an object", {}],
    ["a list with one object", [{}]],
    ["an empty list", []],
  ])("arguments may be %s", async (_what, args) => {
    const answer = await send("/api/query", { path: CURRENT, args });
    expect(answer.body).toMatchObject({ status: "success", value: { _id: host.userId } });
  });

  test.each(["users/queries:getCurrentUser", "users/queries.js:getCurrentUser"])(
    "%s is one way to write a path",
    async (path) => {
      const answer = await send("/api/query", { path, args: {} });
      expect(answer.body).toMatchObject({ status: "success", value: { _id: host.userId } });
    },
  );

  test("a query may be asked by GET", async () => {
    const parameters = new URLSearchParams({
      path: "meetings/queries:getMeeting",
      args: JSON.stringify({ meetingId }),
      format: "json",
    });
    const answer = await request(`${server.url}/api/query?${parameters}`, { token: host.token });
    expect(answer.body).toMatchObject({ status: "success", value: { _id: meetingId } });
  });

  test("a mutation may not be done by GET", async () => {
    const answer = await request(
      `${server.url}/api/query?path=${CREATE}&args=${encodeURIComponent('{"title":"x"}')}`,
      { token: host.token },
    );
    expect(failure(answer)).toContain(
      "Trying to execute meetings/lifecycle.js:createMeeting as Query, but it is defined as Mutation.",
    );
  });

  test("a GET query without arguments is refused", async () => {
    expect(refusal(await request(`${server.url}/api/query?path=${CURRENT}`))).toBe("400 BadQueryArgs");
  });
});

describe("200 with an error", () => {
  test("an error of the app comes with its data, and with a request id", async () => {
    const answer = await send("/api/query", {
      path: "meetings/queries:getMeeting",
      args: { meetingId: "x" },
    });
    expect(answer.body).toMatchObject({
      status: "error",
      errorData: { code: "MEETING_NOT_FOUND", message: "There is no such meeting" },
    });
    expect(failure(answer)).toMatch(/^\[Request ID: [0-9a-f]{16}\] Server Error\nUncaught ConvexError: /);
  });

  test("the request id is the client's, if it sends one", async () => {
    const answer = await send(
      "/api/query",
      { path: "no:thing", args: {} },
      { "Convex-Request-Id": "0123456789abcdef" },
    );
    expect(failure(answer)).toContain("[Request ID: 0123456789abcdef] Server Error");
  });

  test.each([
    ["/api/query", "no:thing", "Could not find public function for 'no:thing'."],
    ["/api/mutation", "users/sync:applyEvent", "Could not find public function for 'users/sync:applyEvent'."],
    ["/api/action", CREATE, "as Action, but it is defined as Mutation."],
    ["/api/query", CREATE, "as Query, but it is defined as Mutation."],
    ["/api/mutation", CURRENT, "as Mutation, but it is defined as Query."],
  ])("%s with %s tells what is wrong", async (route, path, message) => {
    expect(failure(await send(route, { path, args: {} }))).toContain(message);
  });

  test.each(["no/thing", "users/sync/applyEvent"])(
    "there is no public function /api/run/%s",
    async (path) => {
      expect(failure(await send(`/api/run/${path}`, { args: {} }))).toContain(
        "Could not find function for '",
      );
    },
  );

  test.each([
    ["a missing field", {}, "ArgumentValidationError: Object is missing the required field `title`."],
    [
      "a field too many",
      { title: "x", more: 1 },
      "ArgumentValidationError: Object contains extra field `more`",
    ],
    ["a wrong type", { title: 1 }, "ArgumentValidationError: Value does not match validator.\nPath: .title"],
    ["arguments that are no object", [1], "Arguments for a Convex function must be an object."],
    ["an encoding that nobody knows", { title: { $bad: "x" } }, "Field name $bad starts with '$'"],
    [
      "an int64 for a number",
      { title: "x", duration: { $integer: "AQAAAAAAAAA=" } },
      "Validator: v.float64()",
    ],
    [
      "a number that is none",
      { title: "x", duration: { $float: "AAAAAAAA8D8=" } },
      "ArgumentValidationError",
    ],
  ])("%s is told in Convex's words", async (_what, args, message) => {
    expect(failure(await send("/api/mutation", { path: CREATE, args }))).toContain(message);
  });

  test("a cursor that is not this query's is told in a way that clients know", async () => {
    const answer = await send("/api/query", {
      path: "meetings/queries:listMeetingParticipants",
      args: { meetingId, paginationOpts: { numItems: 10, cursor: "made up" } },
    });
    expect(failure(answer)).toContain("InvalidCursor");
    expect(answer.body).toMatchObject({
      errorData: { isConvexSystemError: true, paginationError: "InvalidCursor" },
    });
  });
});

describe("400", () => {
  test.each([
    ["half an object", "{"],
    ["a list", "[]"],
    ["a word", '"x"'],
    ["nothing", ""],
    ["no path", { args: {} }],
    ["a path that is no text", { path: 5, args: {} }],
    ["no arguments", { path: CURRENT }],
    ["null for arguments", { path: CURRENT, args: null }],
    ["text for arguments", { path: CURRENT, args: "{}" }],
  ])("%s is a BadJsonBody", async (_what, body) => {
    expect(refusal(await send("/api/query", body))).toBe("400 BadJsonBody");
  });

  test.each(["text/plain", "application/x-www-form-urlencoded"])("a body of %s is not read", async (type) => {
    const answer = await send(
      "/api/query",
      { path: CURRENT, args: {} },
      { ...bearer(host.token), "Content-Type": type },
    );
    expect(refusal(answer)).toBe("400 BadJsonBody");
  });

  test.each(["", "a b:c", "a:b:c", "../x:y", "a//b:c", "a:", ":a", "a-b:c", "__:x", "a:\u0000"])(
    "%j is a BadConvexFunctionIdentifier",
    async (path) => {
      const answer = await send("/api/query", { path, args: {} });
      expect(refusal(answer)).toBe("400 BadConvexFunctionIdentifier");
    },
  );

  test.each(["/api/run/users/queries%2FgetCurrentUser", "/api/run//getCurrentUser", "/api/run/users/a:b"])(
    "%s is a BadConvexFunctionIdentifier",
    async (path) => {
      expect(refusal(await send(path, { args: {} }))).toBe("400 BadConvexFunctionIdentifier");
    },
  );

  test.each([
    "users/queries/getCurrentUser",
    "users%2Fqueries/getCurrentUser",
    "users/queries.js/get%43urrentUser",
  ])("/api/run/%s is a function's path", async (path) => {
    const answer = await send(`/api/run/${path}`, { args: {} });
    expect(answer.body).toMatchObject({ status: "success", value: { _id: host.userId } });
  });

  test.each(["/api/run/", "/api/run/listing"])("%s misses an identifier", async (path) => {
    expect(refusal(await send(path, { args: {} }))).toBe("400 MissingIdentifier");
  });

  test.each([["xml"], [1], [{}]])("the format %j is a BadFormat", async (format) => {
    expect(refusal(await send("/api/query", { path: CURRENT, args: {}, format }))).toBe("400 BadFormat");
  });

  test.each([undefined, null, "json", "convex_clean_json", "convex_json", "convex_encoded_json"])(
    "the format %s is known",
    async (format) => {
      const answer = await send("/api/query", { path: CURRENT, args: {}, format });
      expect(answer.body).toMatchObject({ status: "success", value: { _id: host.userId } });
    },
  );

  test("a broken escape in the path is refused", async () => {
    expect(refusal(await send("/api/run/users/%zz", { args: {} }))).toBe("400 BadPathArgs");
  });
});

describe("401 and 403", () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

  const credentials: Record<string, [string, () => string | Promise<string>]> = {
    "a word": ["401 InvalidAuthHeader", () => "Bearer garbage"],
    "three words": ["401 InvalidAuthHeader", () => "Bearer a.b.c"],
    "an expired token": [
      "401 InvalidAuthHeader",
      async () => `Bearer ${await tokenFor(server, "host@example.com", { expiresInSeconds: -60 })}`,
    ],
    "a token of another deployment": [
      "401 InvalidAuthHeader",
      async () => `Bearer ${await tokenFor(other, "host@example.com")}`,
    ],
    "a token that is not signed": [
      "401 InvalidAuthHeader",
      () => `Bearer ${part({ alg: "none" })}.${host.token.split(".")[1]}.`,
    ],
    "a token that is signed with a secret": [
      "401 InvalidAuthHeader",
      () => {
        const signed = `${part({ alg: "HS256" })}.${host.token.split(".")[1]}`;
        return `Bearer ${signed}.${createHmac("sha256", "secret").update(signed).digest("base64url")}`;
      },
    ],
    "a token of an issuer that is not configured": [
      "401 NoAuthProvider",
      () => {
        const [header, , signature] = host.token.split(".");
        const exp = Math.floor(Date.now() / 1000) + 300;
        return `Bearer ${header}.${part({ iss: "https://elsewhere.example.com", sub: "x", exp })}.${signature}`;
      },
    ],
    "a header that is too short": ["400 InvalidHeaderFailure", () => "x"],
    "another scheme": ["400 InvalidAdminKey", () => "Basic aG9zdDpzZWNyZXQ="],
    "a wrong admin key": ["401 BadAdminKey", () => "Convex embedded|00"],
  };

  test.each(Object.keys(credentials))("%s fails every call", async (what) => {
    const [expected, make] = credentials[what] ?? ["", () => ""];
    const headers = { Authorization: await make() };
    for (const path of ["/api/query", "/api/mutation", "/api/action"]) {
      expect(refusal(await send(path, { path: CURRENT, args: {} }, headers))).toBe(expected);
    }
    expect(refusal(await send("/api/run/users/queries/getCurrentUser", { args: {} }, headers))).toBe(
      expected,
    );
  });

  test("no token is nobody's call, which the function refuses", async () => {
    const answer = await send("/api/query", { path: CURRENT, args: {} }, {});
    expect(answer.body).toMatchObject({ status: "error", errorData: { code: "UNAUTHENTICATED" } });
  });

  test("/api/function is for the admin alone", async () => {
    const body = { path: CURRENT, args: {} };
    expect(refusal(await send("/api/function", body, {}))).toBe("403 BadDeployKey");
    expect(refusal(await send("/api/function", body))).toBe("403 BadDeployKey");
    expect(refusal(await send("/api/function", body, admin(other.adminKey)))).toBe("401 BadAdminKey");
  });

  test("the admin may call internal functions, and act as anybody", async () => {
    const internal = await send("/api/function", { path: "users/sync:applyEvent", args: {} }, admin());
    expect(failure(internal)).toContain(
      "ArgumentValidationError: Object is missing the required field `event`",
    );
    const actingAs = Buffer.from(JSON.stringify({ issuer: "any", subject: host.workosUserId })).toString(
      "base64",
    );
    const answer = await send(
      "/api/function",
      { path: CURRENT, args: {} },
      admin(`${server.adminKey}:${actingAs}`),
    );
    expect(answer.body).toMatchObject({ status: "success", value: { _id: host.userId } });
  });

  test("the admin key may stand in the URL", async () => {
    const answer = await send(
      `/api/function?adminKey=${encodeURIComponent(server.adminKey)}`,
      { path: "no:thing", args: {} },
      {},
    );
    expect(failure(answer)).toContain(
      "Could not find function for 'no:thing'. Did you forget to run `npx convex dev`?",
    );
  });
});

describe("CORS", () => {
  test("any origin may call, as a call is authorized by its token alone", async () => {
    const origin = "https://anywhere.example.com";
    const { status, headers } = await request(`${server.url}/api/mutation`, {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,convex-client",
      },
    });
    expect(status).toBeLessThan(300);
    expect(headers.get("access-control-allow-origin")).toBe(origin);
    expect(headers.get("access-control-allow-headers")).toBe("authorization,content-type,convex-client");
    expect(headers.get("access-control-allow-methods")).toBe("GET,POST,OPTIONS,PATCH,DELETE,PUT");
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("access-control-max-age")).toBe("86400");
  });

  test("errors can be read by the page too", async () => {
    const headers = { Origin: "https://anywhere.example.com" };
    for (const body of ["{", { path: "a b", args: {} }, { path: "no:thing", args: {} }]) {
      const answer = await send("/api/query", body, headers);
      expect(answer.headers.get("access-control-allow-origin")).toBe(headers.Origin);
    }
    const refused = await send("/api/query", {}, { ...headers, Authorization: "Bearer garbage" });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe(headers.Origin);
  });
});

describe("what else is there", () => {
  test("the version, the name, and a word for people", async () => {
    expect(await request(`${server.url}/version`)).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^1\.\d+\.\d+$/),
    });
    expect(await request(`${server.url}/instance_name`)).toMatchObject({ status: 200, body: "embedded" });
    expect(await request(server.url)).toMatchObject({
      status: 200,
      body: "This Convex deployment is running. See https://docs.convex.dev/.",
    });
  });

  test("the app's HTTP routes are under /http too", async () => {
    expect(await request(`${server.url}/http/health`)).toMatchObject({ status: 200, body: { status: "ok" } });
  });

  test("other paths and methods are refused", async () => {
    expect(refusal(await request(`${server.url}/nothing`))).toBe("404 NotFound");
    expect(refusal(await request(`${server.url}/api/mutation`))).toBe("405 MethodNotAllowed");
    expect(refusal(await send("/version", {}))).toBe("405 MethodNotAllowed");
  });
});

test("the runtime had nothing to blame itself for", () => {
  expect([...server.faults, ...other.faults]).toEqual([]);
});
