import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { endpoints } from "../../convex/contract/endpoints";
import { errorStatus } from "../../convex/contract/errors";
import { openapiDocument } from "../../openapi/document";
import committed from "../../openapi/openapi.json";

const document = openapiDocument();

test("the committed document is what the contract says", () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
  execFileSync("npx", ["tsx", "openapi/write.ts", "--check"]);
});

describe("addMultipleParticipants is documented as its clients know it", () => {
  const { post } = committed.paths["/api/run/meetings/lifecycle/addMultipleParticipants"];
  const idOf = (table: string) => ({ type: "string", description: `ID from table "${table}"` });

  test("by name and description", () => {
    expect(post).toMatchObject({
      tags: ["Meetings"],
      summary: "addMultipleParticipants",
      description: [
        "Only the meeting host can add participants. Validates each user and skips those who",
        "are already participants or don't exist. Returns lists of successfully added participants",
        "and skipped entries with reasons. Updates the meeting's participant count automatically.",
      ].join("\n"),
      operationId: "postApiRunMeetingsLifecycleAddMultipleParticipants",
      security: [{ bearerAuth: [] }],
    });
  });

  test("by its request", () => {
    expect(post.requestBody).toEqual({
      content: {
        "application/json": {
          schema: { $ref: "#/components/schemas/Request_meetings.lifecycle.addMultipleParticipants" },
          example: {
            args: {
              meetingId: "meeting_123example",
              participants: [
                { userId: "user_456example", role: "participant" },
                { userId: "user_789example", role: "participant" },
                { userId: "user_012example", role: "observer" },
              ],
            },
          },
        },
      },
      required: true,
    });
    const roles = ["host", "co-host", "participant", "observer"];
    expect(committed.components.schemas["Request_meetings.lifecycle.addMultipleParticipants"]).toMatchObject({
      type: "object",
      required: ["args"],
      properties: {
        args: {
          type: "object",
          required: ["meetingId", "participants"],
          properties: {
            meetingId: idOf("meetings"),
            participants: {
              type: "array",
              maxItems: 1000,
              items: {
                type: "object",
                required: ["role"],
                properties: {
                  role: { oneOf: roles.map((role) => ({ type: "string", enum: [role] })) },
                  userId: idOf("users"),
                },
              },
            },
          },
        },
      },
    });
  });

  test("by its answers", () => {
    expect(post.responses).toMatchObject({
      "200": {
        description: "Convex executed your request and returned a result",
        content: {
          "application/json": {
            schema: { $ref: "#/components/schemas/Response_meetings.lifecycle.addMultipleParticipants" },
            example: {
              status: "success",
              errorMessage: "",
              errorData: {},
              value: {
                added: ["participant_456example", "participant_789example"],
                skipped: [{ userId: "user_012example", reason: "User not found" }],
                success: true,
              },
            },
          },
        },
      },
      "400": {
        description: "Failed operation",
        content: { "application/json": { schema: { $ref: "#/components/schemas/FailedResponse" } } },
      },
      "500": {
        description: "Convex Internal Error",
        content: { "application/json": { schema: { $ref: "#/components/schemas/FailedResponse" } } },
      },
    });
    const schema = committed.components.schemas["Response_meetings.lifecycle.addMultipleParticipants"];
    expect(schema).toMatchObject({
      type: "object",
      required: ["status"],
      properties: {
        status: { type: "string", enum: ["success", "error"] },
        errorMessage: { type: "string" },
        errorData: { type: "object" },
        value: {
          type: "object",
          required: ["added", "skipped", "success"],
          properties: {
            added: { type: "array", items: idOf("meetingParticipants") },
            skipped: {
              type: "array",
              items: {
                type: "object",
                required: ["code", "reason"],
                properties: { reason: { type: "string" }, userId: idOf("users") },
              },
            },
            success: { type: "boolean" },
          },
        },
      },
    });
  });

  test("by servers and security", () => {
    expect(committed).toMatchObject({
      openapi: "3.0.3",
      info: { title: "Connvo Convex API", version: "1.0.0" },
      servers: [
        { url: "https://Connvo-dev.convex.cloud", description: "Dev Convex deployment" },
        { url: "https://Connvo-staging.convex.cloud", description: "Staging Convex deployment" },
        { url: "https://Connvo-prod.convex.cloud", description: "Prod Convex deployment" },
      ],
      security: [{ bearerAuth: [] }],
      components: {
        securitySchemes: { bearerAuth: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
      },
    });
  });
});

test.each(endpoints.map((endpoint) => [endpoint.path, endpoint] as const))(
  "%s is documented with every status it can give, and an example that fits",
  (path, endpoint) => {
    const operation = document.paths[`/api/run/${path}` as keyof typeof document.paths];
    const { post } = z
      .object({ post: z.looseObject({ responses: z.record(z.string(), z.unknown()) }) })
      .parse(operation);
    const statuses = Object.keys(post.responses);
    expect(statuses).toEqual(expect.arrayContaining(["200", "400", "413", "415", "500"]));
    expect(statuses).toEqual(
      expect.arrayContaining(endpoint.errors.map((code) => String(errorStatus[code]))),
    );
    const needsToken = endpoint.access !== "anyone";
    expect(statuses).toEqual(expect.arrayContaining(needsToken ? ["401"] : []));
    expect(statuses.includes("429")).toBe(endpoint.kind !== "query");
    expect(post["security"]).toEqual(needsToken ? [{ bearerAuth: [] }] : []);
    expect(endpoint.args.safeParse(endpoint.example.args).error).toBeUndefined();
    expect(endpoint.returns.safeParse(endpoint.example.value).error).toBeUndefined();
  },
);
