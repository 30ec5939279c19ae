import { afterEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { api } from "../../convex/_generated/api";
import { endpoints } from "../../convex/contract/endpoints";
import { type ErrorCode, type ErrorData, errorData, errorStatus } from "../../convex/contract/errors";
import { errorResponse } from "../../convex/http/responses";
import { type App, newApp, newMeeting, signUp } from "./setup";

const addMany = "/api/run/meetings/lifecycle/addMultipleParticipants";
const currentUser = "/api/run/users/queries/getCurrentUser";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function post(app: Pick<App, "fetch">, path: string, body: unknown, headers: Record<string, string> = {}) {
  return app.fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

const failure = z.object({ status: z.literal("error"), errorMessage: z.string(), errorData });

/** The data of an answer that is an error, in the one shape of all errors and with the status of its code. */
async function failureOf(response: Response): Promise<ErrorData> {
  const { errorMessage, errorData } = failure.parse(await response.json());
  expect(errorMessage).toBe(errorData.message);
  expect(response.status).toBe(errorStatus[errorData.code]);
  expect(response.headers.get("Content-Type")).toBe("application/json");
  return errorData;
}

async function codeOf(response: Response): Promise<ErrorCode> {
  return (await failureOf(response)).code;
}

describe("POST /api/run", () => {
  test("answers the request of the documentation", async () => {
    const { app, host, meetingId } = await newMeeting();
    const ada = await signUp(app, "ada");
    const response = await post(host.as, addMany, {
      args: {
        meetingId,
        participants: [
          { userId: ada.id, role: "participant" },
          { userId: "user_012example", role: "observer" },
        ],
      },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      status: "success",
      value: {
        added: [expect.any(String)],
        skipped: [{ userId: "user_012example", reason: "User not found", code: "user_not_found" }],
        success: true,
      },
    });
  });

  test.each(endpoints.map(({ path }) => path))("reaches %s", async (path) => {
    const response = await post(newApp().withIdentity({ subject: "ada" }), `/api/run/${path}`, {
      args: { nothing: "like this" },
    });
    expect(await codeOf(response)).toBe("INVALID_ARGUMENT");
  });

  test("takes a body without args, and Convex's format", async () => {
    const ada = newApp().withIdentity({ subject: "ada" });
    for (const body of [{}, { args: {} }, { args: {}, format: "json" }]) {
      expect(await (await post(ada, currentUser, body)).json()).toEqual({ status: "success", value: null });
    }
  });

  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["a list", "[]"],
    ["null", "null"],
    ["args that are a list", '{"args": []}'],
    ["another format", '{"args": {}, "format": "convex_encoded_json"}'],
    ["a field besides args", '{"args": {}, "path": "x"}'],
    ["an argument that is not known", '{"args": {"userId": "x"}}'],
    ["a polluted prototype", '{"args": {"__proto__": {"isAdmin": true}}}'],
  ])("refuses a body that is %s", async (_, body) => {
    const response = await newApp()
      .withIdentity({ subject: "ada" })
      .fetch(currentUser, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    expect(await codeOf(response)).toBe("INVALID_ARGUMENT");
  });

  test.each([
    ["meetingId", { participants: [] }],
    ["meetingId", { meetingId: 7, participants: [] }],
    ["participants", { meetingId: "m" }],
    ["participants", { meetingId: "m", participants: {} }],
    ["participants.0.role", { meetingId: "m", participants: [{ userId: "u", role: "owner" }] }],
    ["participants.0.userId", { meetingId: "m", participants: [{ userId: null, role: "host" }] }],
    ["participants.0", { meetingId: "m", participants: [{ userId: "u", role: "host", admin: true }] }],
    [
      "participants",
      { meetingId: "m", participants: Array(1001).fill({ userId: "u", role: "host" }) as unknown[] },
    ],
  ])("names the field that is wrong: %s", async (path, args) => {
    const ada = await signUp(newApp(), "ada");
    const { code, message, issues } = await failureOf(await post(ada.as, addMany, { args }));
    expect(code).toBe("INVALID_ARGUMENT");
    expect(message).toMatch(new RegExp(`^${path}: `));
    expect(issues).toMatchObject([{ path }]);
  });

  test("asks for a token before it looks at the body", async () => {
    const response = await post(newApp(), addMany, "x".repeat(2 * 1024 * 1024), {
      "Content-Type": "text/plain",
    });
    expect(await codeOf(response)).toBe("UNAUTHENTICATED");
    expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
  });

  test("takes JSON alone, with or without a charset", async () => {
    const ada = newApp().withIdentity({ subject: "ada" });
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]) {
      expect(await codeOf(await post(ada, currentUser, {}, { "Content-Type": type }))).toBe(
        "UNSUPPORTED_MEDIA_TYPE",
      );
    }
    const charset = await post(ada, currentUser, {}, { "Content-Type": "Application/JSON; charset=utf-8" });
    expect(charset.status).toBe(200);
  });

  test("refuses more than 1 MiB, by what is announced and by what is sent", async () => {
    const ada = newApp().withIdentity({ subject: "ada" });
    const announced = await post(ada, currentUser, {}, { "Content-Length": String(1024 * 1024 + 1) });
    expect(await codeOf(announced)).toBe("PAYLOAD_TOO_LARGE");
    const padded = (bytes: number) => post(ada, currentUser, `{}${" ".repeat(bytes - 2)}`);
    expect(await codeOf(await padded(1024 * 1024 + 1))).toBe("PAYLOAD_TOO_LARGE");
    expect((await padded(1024 * 1024)).status).toBe(200);
  });

  test("gives each error its own status", async () => {
    const { app, host, meetingId } = await newMeeting({ maxParticipants: 1 });
    const ada = await signUp(app, "ada");
    const run = (name: string, args: Record<string, unknown>, as = host.as) =>
      post(as, `/api/run/meetings/lifecycle/${name}`, { args });
    const entry = { meetingId, userId: ada.id, role: "host" };
    const stranger = app.withIdentity({ subject: "stranger" });
    expect(await codeOf(await run("startMeeting", { meetingId }, stranger))).toBe("USER_NOT_PROVISIONED");
    expect(await codeOf(await run("startMeeting", { meetingId }, ada.as))).toBe("FORBIDDEN");
    expect(await codeOf(await run("startMeeting", { meetingId: "m" }))).toBe("MEETING_NOT_FOUND");
    expect(await codeOf(await run("endMeeting", { meetingId }))).toBe("MEETING_NOT_ACTIVE");
    expect(await codeOf(await run("addParticipant", entry))).toBe("MEETING_FULL");
    expect(await codeOf(await run("addParticipant", { ...entry, userId: "u" }))).toBe("USER_NOT_FOUND");
    expect(await codeOf(await run("removeParticipant", { meetingId, userId: host.id }))).toBe("LAST_HOST");
    expect(await codeOf(await run("createMeeting", { title: "Past", scheduledAt: 1 }))).toBe(
      "SCHEDULED_IN_PAST",
    );
  });

  test("says by header when to come back", async () => {
    const ada = await signUp(newApp(), "ada");
    vi.stubEnv("RATE_LIMIT_PER_SECOND", "0.1");
    const call = () => post(ada.as, "/api/run/users/mutations/updateLastSeen", {});
    await call();
    const response = await call();
    const { code, retryAfterMs } = await failureOf(response);
    expect(code).toBe("RATE_LIMITED");
    expect(Number(response.headers.get("Retry-After"))).toBe(Math.ceil(Number(retryAfterMs) / 1000));
  });

  test("tells nothing of an error that is not of the contract", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    const response = errorResponse(new Error("the secret of ada@example.com"));
    expect(await codeOf(response.clone())).toBe("INTERNAL_ERROR");
    expect(await response.text()).not.toContain("secret");
    expect(JSON.stringify(log.mock.calls)).not.toContain("ada@example.com");
    expect(log).toHaveBeenCalledOnce();
  });
});

describe("other paths and methods", () => {
  test.each(["GET", "PUT", "PATCH", "DELETE"])("%s on a function is 405", async (method) => {
    const response = await newApp().fetch(addMany, { method });
    expect(await codeOf(response)).toBe("METHOD_NOT_ALLOWED");
    expect(response.headers.get("Allow")).toBe("POST");
  });

  test("POST on a page is 405", async () => {
    const response = await newApp().fetch("/health", { method: "POST" });
    expect(await codeOf(response)).toBe("METHOD_NOT_ALLOWED");
    expect(response.headers.get("Allow")).toBe("GET");
  });

  test.each([
    "/api/run/meetings/lifecycle/nothing",
    "/api/run/users/sync/applyEvent",
    `${addMany}/`,
    "/api/run/",
  ])("%s is no function", async (path) => {
    expect(await codeOf(await post(newApp(), path, {}))).toBe("FUNCTION_NOT_FOUND");
  });

  test("anything else is not found", async () => {
    expect(await codeOf(await newApp().fetch("/elsewhere"))).toBe("NOT_FOUND");
    expect(await codeOf(await newApp().fetch("/api/elsewhere", { method: "DELETE" }))).toBe("NOT_FOUND");
  });

  test("health is for everybody", async () => {
    const health = await newApp().fetch("/health");
    expect([health.status, await health.json()]).toEqual([200, { status: "ok" }]);
  });

  test.each([
    ["/openapi.json", "Connvo Convex API"],
    ["/openapi/chime.json", "Amazon Chime SDK meetings on Connvo Meetings"],
    ["/openapi/huawei.json", "Huawei Cloud Meeting on Connvo Meetings"],
    ["/openapi/volcengine.json", "Volcengine RTC conversations on Connvo Meetings"],
    ["/openapi/chalk.json", "Chalk rooms on Connvo Meetings"],
    ["/openapi/livekit.json", "LiveKit RoomService on Connvo Meetings"],
  ])("%s, an OpenAPI document, is for everybody", async (path, title) => {
    const document = await newApp().fetch(path);
    expect(await document.json()).toMatchObject({ openapi: "3.0.3", info: { title } });
  });
});

describe("CORS", () => {
  const Origin = "https://app.example.com";
  const preflight = () => newApp().fetch(addMany, { method: "OPTIONS", headers: { Origin } });

  test("lets no page in unless it is listed, and not by a part of its origin", async () => {
    for (const allowed of ["", "*", "https://app.example.com.evil.org", "http://app.example.com"]) {
      vi.stubEnv("ALLOWED_ORIGINS", allowed);
      const response = await preflight();
      expect(response.status).toBe(204);
      expect(response.headers.get("Access-Control-Allow-Origin")).toBeNull();
      expect(response.headers.get("Vary")).toBe("Origin");
    }
  });

  test("lets a listed page send a token and JSON", async () => {
    vi.stubEnv("ALLOWED_ORIGINS", `https://other.example.com, ${Origin}`);
    const { headers } = await preflight();
    expect(headers.get("Access-Control-Allow-Origin")).toBe(Origin);
    expect(headers.get("Access-Control-Allow-Headers")).toBe("Authorization, Content-Type");
    expect(headers.get("Access-Control-Allow-Methods")).toContain("POST");
    expect(Number(headers.get("Access-Control-Max-Age"))).toBeGreaterThan(0);
  });

  test("lets a listed page read answers and errors alike", async () => {
    vi.stubEnv("ALLOWED_ORIGINS", Origin);
    const app = newApp();
    const ada = await signUp(app, "ada");
    for (const response of [
      await post(ada.as, currentUser, {}, { Origin }),
      await post(app, currentUser, {}, { Origin }),
      await post(ada.as, currentUser, "{", { Origin }),
      await app.fetch("/nowhere", { headers: { Origin } }),
      await app.fetch("/health", { headers: { Origin } }),
    ]) {
      expect(response.headers.get("Access-Control-Allow-Origin")).toBe(Origin);
      expect(response.headers.get("Vary")).toBe("Origin");
    }
  });
});

test("api and HTTP give the same value", async () => {
  const ada = await signUp(newApp(), "ada");
  const byHttp = await (await post(ada.as, currentUser, {})).json();
  const byApi = await ada.as.query(api.users.queries.getCurrentUser, {});
  expect(byHttp).toEqual({ status: "success", value: byApi });
});
