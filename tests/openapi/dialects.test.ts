import { expect, test } from "vitest";
import type { WireOperation } from "../../convex/contract/wire";
import { operations as chalkOperations } from "../../convex/dialects/chalk/operations";
import { operations as chimeOperations } from "../../convex/dialects/chime/operations";
import { operations as huaweiOperations } from "../../convex/dialects/huawei/operations";
import { operations as volcengineOperations } from "../../convex/dialects/volcengine/operations";
import { operations as livekitOperations } from "../../convex/dialects/livekit/operations";
import chalk from "../../openapi/chalk.json";
import chime from "../../openapi/chime.json";
import volcengine from "../../openapi/volcengine.json";
import { dialectDocuments } from "../../openapi/dialects";
import huawei from "../../openapi/huawei.json";
import livekit from "../../openapi/livekit.json";

const committed = { chime, huawei, volcengine, chalk, livekit };
const systems = [
  ["chime", chimeOperations],
  ["huawei", huaweiOperations],
  ["volcengine", volcengineOperations],
  ["chalk", chalkOperations],
  ["livekit", livekitOperations],
] as const;

test.each(systems)("the committed document of %s is what its table of operations says", (system) => {
  expect(committed[system]).toEqual(JSON.parse(JSON.stringify(dialectDocuments[system])));
});

test.each(systems)(
  "every operation of %s is documented once, with its answer and its errors",
  (system, given) => {
    const operations: Readonly<Record<string, WireOperation>> = given;
    const documented = Object.values(committed[system].paths).flatMap((item) =>
      Object.values(item as Record<string, { operationId: string; responses: object }>),
    );
    expect(documented.map(({ operationId }) => operationId).toSorted()).toEqual(
      Object.keys(operations).toSorted(),
    );
    for (const { operationId, responses } of documented) {
      const { answer, errors } = operations[operationId] as WireOperation;
      const statuses = new Set([answer.status, ...errors.map(({ status }) => status)].map(String));
      expect(new Set(Object.keys(responses))).toEqual(statuses);
    }
  },
);

test("BatchCreateAttendee is documented with its limits", () => {
  const { post } = chime.paths["/meetings/{MeetingId}/attendees#operation=batch-create"];
  const { schema } = post.requestBody.content["application/json"];
  expect(schema.properties.Attendees).toMatchObject({ type: "array", minItems: 1, maxItems: 100 });
  expect(post.parameters).toMatchObject([
    { name: "MeetingId", in: "path", required: true },
    { name: "operation", in: "query", required: true },
  ]);
});
