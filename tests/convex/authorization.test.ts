/** Who may call which function: every endpoint, tried by everybody who could think of it. */
import { describe, expect, test } from "vitest";
import { endpoints } from "../../convex/contract/endpoints";
import * as invitations from "./authorization/invitations";
import * as meetings from "./authorization/meetings";
import { type Role, roles, type Rows, type Stage, setStage } from "./authorization/stage";
import * as tenants from "./authorization/tenants";
import * as tokens from "./authorization/tokens";
import * as users from "./authorization/users";
import * as webhooks from "./authorization/webhooks";
import { callEndpoint, codeOf } from "./setup";

const rows: Rows = Object.assign(
  {},
  ...[meetings, invitations, tokens, users, tenants, webhooks].flatMap((module) => Object.values(module)),
);

test("every endpoint has a row that says who may call it", () => {
  expect(Object.keys(rows).toSorted()).toEqual(endpoints.map(({ path }) => path).toSorted());
});

const table = endpoints.flatMap((endpoint) => {
  const row = rows[endpoint.path];
  return row ? [[endpoint.path, endpoint, row] as const] : [];
});

describe.each(table)("%s", (_, endpoint, { expected, args, prepare }) => {
  const call = (stage: Stage, role: Role) => callEndpoint(stage.callers[role], endpoint, args(stage));
  const refused = roles.filter((role) => expected[role] !== "ok");
  const served = roles.filter((role) => expected[role] === "ok");

  async function prepared(): Promise<Stage> {
    const stage = await setStage();
    await prepare?.(stage);
    return stage;
  }

  test.each(refused.length > 0 ? [refused.join(", ")] : [])("refuses %s", async () => {
    const stage = await prepared();
    for (const role of refused) {
      expect([role, await codeOf(call(stage, role))]).toEqual([role, expected[role]]);
    }
  });

  test.each(served)("serves %s", async (role) => {
    await expect(call(await prepared(), role)).resolves.toBeDefined();
  });
});
