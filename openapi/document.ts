import * as z from "zod";
import { type Endpoint, commonErrors } from "../convex/contract/endpoint";
import { endpoints } from "../convex/contract/endpoints";
import { type ErrorCode, errorData, errorStatus } from "../convex/contract/errors";
import { type SchemaObject, schemaObject } from "./schemas";
import { systemPaths } from "./systemPaths";

const failedResponse = { $ref: "#/components/schemas/FailedResponse" };

/** The whole API as an OpenAPI 3.0.3 document. */
export function openapiDocument() {
  return {
    openapi: "3.0.3",
    info: {
      title: "Connvo Convex API",
      version: "1.0.0",
      description:
        "HTTP interface for Connvo's Convex backend, exposing vetted query, mutation, and action endpoints.",
    },
    servers: [
      { url: "https://Connvo-dev.convex.cloud", description: "Dev Convex deployment" },
      { url: "https://Connvo-staging.convex.cloud", description: "Staging Convex deployment" },
      { url: "https://Connvo-prod.convex.cloud", description: "Prod Convex deployment" },
    ],
    security: [{ bearerAuth: [] }],
    tags: [
      {
        name: "Users",
        description: "Identity, profile, and authentication operations for Connvo users.",
      },
      { name: "Meetings", description: "Scheduling, managing, and retrieving meeting data." },
      {
        name: "Guests",
        description: "People without an account, whom an application knows by an id of its own.",
      },
      { name: "Tenants", description: "What holds for all meetings of an organization or a person." },
      {
        name: "Webhooks",
        description: "Addresses to which the events of all meetings of a tenant are sent.",
      },
      {
        name: "System",
        description: "General system endpoints such as health checks and diagnostics.",
      },
    ],
    paths: {
      ...Object.fromEntries(endpoints.map((endpoint) => [`/api/run/${endpoint.path}`, pathItem(endpoint)])),
      ...systemPaths,
    },
    components: {
      schemas: {
        ...Object.fromEntries(endpoints.flatMap(componentSchemas)),
        FailedResponse: schemaObject(
          z.object({
            status: z.literal("error"),
            errorMessage: z.string(),
            errorData,
          }),
          "output",
        ),
      },
      securitySchemes: {
        bearerAuth: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "Standard user authentication token issued via WorkOS. Provide as `Authorization: Bearer <user-token>`.",
        },
      },
    },
  };
}

function pathItem(endpoint: Endpoint) {
  return {
    post: {
      tags: [endpoint.tag],
      summary: endpoint.path.split("/").at(-1),
      description: endpoint.description,
      operationId: operationId(endpoint),
      requestBody: {
        content: {
          "application/json": {
            schema: { $ref: `#/components/schemas/${componentName("Request", endpoint)}` },
            example: { args: endpoint.example.args },
          },
        },
        required: true,
      },
      responses: {
        "200": {
          description: "Convex executed your request and returned a result",
          content: {
            "application/json": {
              schema: { $ref: `#/components/schemas/${componentName("Response", endpoint)}` },
              example: { status: "success", errorMessage: "", errorData: {}, value: endpoint.example.value },
            },
          },
        },
        ...errorResponses([...commonErrors(endpoint), ...endpoint.errors]),
      },
      security: endpoint.access === "anyone" ? [] : [{ bearerAuth: [] }],
    },
  };
}

function errorResponses(codes: readonly ErrorCode[]) {
  const statuses = [...new Set(codes.map((code) => errorStatus[code]))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => [
      String(status),
      {
        description: describeStatus(
          status,
          codes.filter((code) => errorStatus[code] === status),
        ),
        ...(status === 429 && {
          headers: {
            "Retry-After": { description: "Seconds to wait", schema: { type: "integer" } },
          },
        }),
        content: { "application/json": { schema: failedResponse } },
      },
    ]),
  );
}

function describeStatus(status: number, codes: readonly ErrorCode[]): string {
  if (status === 400) return "Failed operation";
  if (status === 500) return "Convex Internal Error";
  return codes.map((code) => `\`${code}\``).join(", ");
}

function componentSchemas(endpoint: Endpoint): [string, SchemaObject][] {
  return [
    [
      componentName("Request", endpoint),
      { type: "object", required: ["args"], properties: { args: schemaObject(endpoint.args, "input") } },
    ],
    [
      componentName("Response", endpoint),
      {
        type: "object",
        required: ["status"],
        properties: {
          status: { type: "string", enum: ["success", "error"] },
          errorMessage: { type: "string" },
          errorData: { type: "object" },
          value: schemaObject(endpoint.returns, "output"),
        },
      },
    ],
  ];
}

/** Like `Request_meetings.lifecycle.createMeeting`. */
function componentName(kind: "Request" | "Response", { path }: Endpoint): string {
  return `${kind}_${path.replaceAll("/", ".")}`;
}

/** Like `postApiRunMeetingsLifecycleCreateMeeting`. */
function operationId({ path }: Endpoint): string {
  const words = path.split("/").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `postApiRun${words.join("")}`;
}
