/** The documents of other systems' wires, each made of the table of operations that its router matches. */
import * as z from "zod";
import type { WireError, WireOperation } from "../convex/contract/wire";
import { operations as chimeOperations } from "../convex/dialects/chime/operations";
import { type SchemaObject, schemaObject } from "./schemas";

/** What a document says besides its operations. */
interface DialectDocument {
  title: string;
  version: string;
  description: string;
  /** Where the wire is mounted on the site origin. */
  mountedAt: string;
  operations: Readonly<Record<string, WireOperation>>;
  securityScheme: { name: string; scheme: object };
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
  securityScheme: {
    name: "sigv4",
    scheme: {
      type: "apiKey",
      name: "Authorization",
      in: "header",
      description:
        "AWS Signature Version 4 for the service `chime`, of any region, with an access key of the tenant",
    },
  },
  error: z.object({ Code: z.string(), Message: z.string(), RequestId: z.string() }),
};

/** By the name of the file and of the system. */
export const dialectDocuments = { chime: dialectDocument(chime) };

function dialectDocument(dialect: DialectDocument) {
  const { title, version, description, mountedAt, operations, securityScheme, error } = dialect;
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, operation] of Object.entries(operations)) {
    const path = pathOf(operation);
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(name, operation) };
  }
  return {
    openapi: "3.0.3",
    info: { title, version, description },
    servers: [{ url: mountedAt, description: "The deployment's HTTP actions origin (`.convex.site`)" }],
    security: [{ [securityScheme.name]: [] }],
    paths,
    components: {
      schemas: { Error: schemaObject(error, "output") },
      securitySchemes: { [securityScheme.name]: securityScheme.scheme },
    },
  };
}

/** OpenAPI knows one operation of a method and path; what stands behind a # tells those apart that share them. */
function pathOf({ path, select = {} }: WireOperation): string {
  const selection = Object.entries(select).map((pair) => pair.join("="));
  return selection.length === 0 ? path : `${path}#${selection.join("&")}`;
}

function describe(name: string, operation: WireOperation) {
  const { description, pathParameters, queryParameters, select = {}, body, answer, errors } = operation;
  return {
    summary: name,
    description,
    operationId: name,
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
