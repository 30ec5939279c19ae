/** The documents of other systems' wires, each made of the table of operations that its router matches. */
import * as z from "zod";
import type { WireError, WireOperation } from "../convex/contract/wire";
import { openOperations, operations as chalkOperations } from "../convex/dialects/chalk/operations";
import { operations as chimeOperations } from "../convex/dialects/chime/operations";
import { operations as huaweiOperations, operationsBy } from "../convex/dialects/huawei/operations";
import {
  errorAnswer,
  operations as volcengineOperations,
  VERSION,
} from "../convex/dialects/volcengine/operations";
import { operations as livekitOperations } from "../convex/dialects/livekit/operations";
import { type SchemaObject, schemaObject } from "./schemas";

/** What a document says besides its operations. */
interface DialectDocument {
  title: string;
  version: string;
  description: string;
  /** Where the wire is mounted on the site origin. */
  mountedAt: string;
  operations: Readonly<Record<string, WireOperation>>;
  /** By their names. */
  securitySchemes: Readonly<Record<string, object>>;
  /** Which of them an operation wants, one of them being enough; all have the same if there is but one. */
  securityOf?: (operation: string) => readonly string[];
  /** What every error answer is. */
  error: z.ZodType;
}

const chime: DialectDocument = {
  title: "Amazon Chime SDK meetings on Connvo Meetings",
  version: "2021-07-15",
  description:
    "The wire of the Amazon Chime SDK meetings API over the same meetings that the Connvo API serves. What differs from Amazon is in docs/dialects.md. Operations of one path are told apart by the query `operation`, which stands behind a # here.",
  mountedAt: "/chime",
  operations: chimeOperations,
  securitySchemes: {
    sigv4: {
      type: "apiKey",
      name: "Authorization",
      in: "header",
      description:
        "AWS Signature Version 4 for the service `chime`, of any region, with an access key of the tenant",
    },
  },
  error: z.object({ Code: z.string(), Message: z.string(), RequestId: z.string() }),
};

const huawei: DialectDocument = {
  title: "Huawei Cloud Meeting on Connvo Meetings",
  version: "v1",
  description:
    "The wire of Huawei Cloud Meeting over the same meetings that the Connvo API serves. What differs from Huawei is in docs/dialects.md.",
  mountedAt: "/",
  operations: huaweiOperations,
  securitySchemes: {
    account: {
      type: "http",
      scheme: "basic",
      description: "Account and password of the tenant's credentials",
    },
    accessToken: { type: "apiKey", name: "X-Access-Token", in: "header" },
    hostPassword: {
      type: "apiKey",
      name: "X-Password",
      in: "header",
      description: "The host password of the meeting; InviteWithPwd takes it in its body",
    },
    controlToken: {
      type: "apiKey",
      name: "X-Conference-Authorization",
      in: "header",
      description: "A control token of the meeting, as it is or as `Basic` and its base64",
    },
  },
  securityOf: (name) => {
    if (name in operationsBy.login) return ["account"];
    if (name in operationsBy.withAccessToken) return ["accessToken"];
    return name in operationsBy.withControlToken ? ["controlToken"] : ["hostPassword", "controlToken"];
  },
  error: z.object({ error_code: z.string(), error_msg: z.string() }),
};

const volcengine: DialectDocument = {
  title: "Volcengine RTC conversations on Connvo Meetings",
  version: VERSION,
  description:
    "The wire of Volcengine's conversation API over the same meetings that the Connvo API serves. What differs from Volcengine is in docs/dialects.md. All actions are posted to one path, `/` or `/volc/`, and told apart by the query, which stands behind a # here. Whole numbers of 64 bits are taken as numbers and as texts of their digits; they are exact as they are sent, but JSON clients that keep numbers as doubles, as JavaScript does, keep no more than 2^53 - 1: ids that are made here have at most 15 digits.",
  mountedAt: "/",
  operations: volcengineOperations,
  securitySchemes: {
    hmacSha256: {
      type: "apiKey",
      name: "Authorization",
      in: "header",
      description:
        "Volcengine's HMAC-SHA256 signature for the service `rtc`, of any region, with an access key of the tenant; in the query as well",
    },
  },
  error: errorAnswer,
};

const chalk: DialectDocument = {
  title: "Chalk rooms on Connvo Meetings",
  version: "1.0.0",
  description:
    "The wire of the Chalk rooms API over the same meetings that the Connvo API serves. What differs from Chalk is in docs/dialects.md.",
  mountedAt: "/api/v1",
  operations: chalkOperations,
  securitySchemes: {
    bearer: {
      type: "http",
      scheme: "bearer",
      description:
        "An access token, an auth token or an API key of the tenant, which may be in a header `X-API-Key` instead",
    },
  },
  securityOf: (name) => (openOperations.some((open) => open === name) ? [] : ["bearer"]),
  error: z.object({ error: z.string() }),
};

const livekit: DialectDocument = {
  title: "LiveKit RoomService on Connvo Meetings",
  version: "1.0.0",
  description:
    "The operations of LiveKit's RoomService that concern rooms and participants, over the same meetings that the Connvo API serves. What differs from LiveKit is in docs/dialects.md.",
  mountedAt: "/twirp",
  operations: livekitOperations,
  securitySchemes: {
    bearer: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description:
        "HS256, with an access key of the tenant as `iss`, signed with its secret, and with LiveKit's claim `video`",
    },
  },
  error: z.object({ code: z.string(), msg: z.string() }),
};

/** By the name of the file and of the system. */
export const dialectDocuments = {
  chime: dialectDocument(chime),
  huawei: dialectDocument(huawei),
  volcengine: dialectDocument(volcengine),
  chalk: dialectDocument(chalk),
  livekit: dialectDocument(livekit),
};

function dialectDocument(dialect: DialectDocument) {
  const { title, version, description, mountedAt, operations, securitySchemes, error } = dialect;
  const { securityOf = () => Object.keys(securitySchemes) } = dialect;
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, operation] of Object.entries(operations)) {
    const path = pathOf(operation);
    paths[path] = {
      ...paths[path],
      [operation.method.toLowerCase()]: describe(name, operation, securityOf(name)),
    };
  }
  return {
    openapi: "3.0.3",
    info: { title, version, description },
    servers: [{ url: mountedAt, description: "The deployment's HTTP actions origin (`.convex.site`)" }],
    paths,
    components: {
      schemas: { Error: schemaObject(error, "output") },
      securitySchemes,
    },
  };
}

/** OpenAPI knows one operation of a method and path; what stands behind a # tells those apart that share them. */
function pathOf({ path, select = {} }: WireOperation): string {
  const selection = Object.entries(select).map((pair) => pair.join("="));
  return selection.length === 0 ? path : `${path}#${selection.join("&")}`;
}

function describe(name: string, operation: WireOperation, security: readonly string[]) {
  const { description, pathParameters, queryParameters, select = {}, body, answer, errors } = operation;
  return {
    summary: name,
    description,
    operationId: name,
    security: security.map((scheme) => ({ [scheme]: [] })),
    parameters: [
      ...Object.entries(pathParameters).map(([field, schema]) => parameter("path", field, schema)),
      ...Object.entries(select).map(([field, value]) => parameter("query", field, z.literal(value))),
      ...Object.entries(queryParameters).map(([field, schema]) => parameter("query", field, schema)),
    ],
    ...(body && { requestBody: { required: true, content: json(schemaObject(body, "input")) } }),
    responses: {
      [answer.status]: {
        description: "Done",
        ...(answer.body && { content: json(schemaObject(answer.body, "output")) }),
      },
      ...errorResponses(errors),
    },
  };
}

function parameter(place: "path" | "query", name: string, given: z.ZodType) {
  const isOptional = given instanceof z.ZodExactOptional;
  const schema = isOptional ? (given.unwrap() as z.ZodType) : given;
  return { name, in: place, required: !isOptional, schema: schemaObject(schema, "input") };
}

function errorResponses(errors: readonly WireError[]) {
  const statuses = [...new Set(errors.map(({ status }) => status))].toSorted((one, other) => one - other);
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: errors
          .flatMap((error) => (error.status === status ? [`\`${error.name}\``] : []))
          .join(", "),
        content: json({ $ref: "#/components/schemas/Error" }),
      },
    ]),
  );
}

function json(schema: SchemaObject) {
  return { "application/json": { schema } };
}
