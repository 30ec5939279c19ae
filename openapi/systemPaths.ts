const failed = (description: string) => ({
  description,
  content: { "application/json": { schema: { $ref: "#/components/schemas/FailedResponse" } } },
});

const origin = "Answered on the deployment's HTTP actions origin (`.convex.site`).";

/** Other systems whose wires are served. */
const systems = {
  chime: "Amazon Chime SDK meetings",
  huawei: "Huawei Cloud Meeting",
  volcengine: "Volcengine RTC conversations",
  chalk: "Chalk rooms",
  livekit: "LiveKit RoomService",
};

const document = (operationId: string, description: string) => ({
  get: {
    tags: ["System"],
    summary: "OpenAPI document",
    description: `${description} ${origin}`,
    operationId,
    responses: {
      "200": {
        description: "An OpenAPI 3.0.3 document",
        content: { "application/json": { schema: { type: "object" } } },
      },
      "405": failed("`METHOD_NOT_ALLOWED`"),
    },
    security: [],
  },
});

/** What the HTTP router answers besides the functions. */
export const systemPaths = {
  "/health": {
    get: {
      tags: ["System"],
      summary: "health",
      description: `Says that the backend is up. ${origin}`,
      operationId: "getHealth",
      responses: {
        "200": {
          description: "The backend is up",
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["status"],
                properties: { status: { type: "string", enum: ["ok"] } },
              },
              example: { status: "ok" },
            },
          },
        },
        "405": failed("`METHOD_NOT_ALLOWED`"),
      },
      security: [],
    },
  },
  "/openapi.json": document("getOpenapi", "This document."),
  ...Object.fromEntries(
    Object.entries(systems).map(([name, title]) => [
      `/openapi/${name}.json`,
      document(`getOpenapiOf${name.charAt(0).toUpperCase()}${name.slice(1)}`, `The wire of ${title}.`),
    ]),
  ),
  "/webhooks/workos": {
    post: {
      tags: ["System"],
      summary: "WorkOS webhook",
      description: `Takes in \`user.*\` and \`organization_membership.*\` events of WorkOS, in any order and more than once; others are ignored. ${origin}`,
      operationId: "postWebhooksWorkos",
      parameters: [
        {
          name: "WorkOS-Signature",
          in: "header",
          required: true,
          description: "`t=<milliseconds>, v1=<HMAC-SHA256 in hex>`, as WorkOS signs its webhooks",
          schema: { type: "string" },
        },
      ],
      requestBody: {
        required: true,
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["id", "event", "data"],
              properties: {
                id: { type: "string" },
                event: { type: "string" },
                data: { type: "object" },
              },
            },
          },
        },
      },
      responses: {
        "200": {
          description: "The event has been taken in, or is of no use here",
          content: {
            "application/json": {
              schema: {
                type: "object",
                required: ["status"],
                properties: { status: { type: "string", enum: ["success"] } },
              },
            },
          },
        },
        "400": failed("`INVALID_ARGUMENT`"),
        "401": failed("`WEBHOOK_SIGNATURE_INVALID`"),
        "413": failed("`PAYLOAD_TOO_LARGE`"),
        "415": failed("`UNSUPPORTED_MEDIA_TYPE`"),
        "500": failed("`INTERNAL_ERROR`"),
        "503": failed("`NOT_CONFIGURED`"),
      },
      security: [],
    },
  },
};
