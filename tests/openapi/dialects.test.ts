import { expect, test } from "vitest";
import { operations } from "../../convex/dialects/chime/operations";
import committed from "../../openapi/chime.json";
import { dialectDocuments } from "../../openapi/dialects";

test("the committed documents of the dialects are what their tables of operations say", () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(dialectDocuments.chime)));
});

test("every operation is documented once, with its answer and its errors", () => {
  const documented = Object.values(committed.paths).flatMap((item) =>
    Object.values(item as Record<string, { operationId: string; responses: object }>),
  );
  expect(documented.map(({ operationId }) => operationId).toSorted()).toEqual(
    Object.keys(operations).toSorted(),
  );
  for (const { operationId, responses } of documented) {
    const { answer, errors } = operations[operationId as keyof typeof operations];
    const statuses = new Set([answer.status, ...errors.map(({ status }) => status)].map(String));
    expect(new Set(Object.keys(responses))).toEqual(statuses);
  }
});

test("BatchCreateAttendee is documented with its limits", () => {
  const { post } = committed.paths["/meetings/{MeetingId}/attendees#operation=batch-create"];
  const { schema } = post.requestBody.content["application/json"];
  expect(schema.properties.Attendees).toMatchObject({ type: "array", minItems: 1, maxItems: 100 });
  expect(post.parameters).toMatchObject([
    { name: "MeetingId", in: "path", required: true },
    { name: "operation", in: "query", required: true },
  ]);
});
