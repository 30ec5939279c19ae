import fc from "fast-check";
import { expect, test } from "vitest";
import {
  nextTokenState,
  type TokenAction,
  type TokenState,
  tokenState,
} from "../../convex/model/tokenStates";

const LIFE = 100;

type Step =
  { kind: "refresh"; nth: number } | { kind: "rights" } | { kind: "remove" } | { kind: "pass"; time: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("refresh" as const), nth: fc.nat({ max: 6 }) }) },
    fc.record({ kind: fc.constant("pass" as const), time: fc.nat({ max: LIFE }) }),
    fc.constantFrom<Step>({ kind: "rights" }, { kind: "remove" }),
  ),
  { maxLength: 30 },
);

/** A family of refresh tokens: the hashes of all that were issued, the kept row, and what happens to its bearer. */
function play(history: readonly Step[]) {
  let now = 0;
  let bearer: { tokenVersion: number } | null = { tokenVersion: 0 };
  let kept: { hash: string; tokenVersion: number; expiresAt: number } | null = {
    hash: "token 0",
    tokenVersion: 0,
    expiresAt: LIFE,
  };
  let issued = 1;
  const refreshed: number[] = [];
  let misused = false;
  let wrongly = false;
  for (const step of history) {
    if (step.kind === "pass") now += step.time;
    else if (step.kind === "remove") bearer = null;
    else if (step.kind === "rights") bearer = bearer && { tokenVersion: bearer.tokenVersion + 1 };
    else if (kept && step.nth < issued) {
      const state: TokenState = tokenState({ kept, sentHash: `token ${step.nth}`, bearer, now });
      if (nextTokenState(state, "refresh") === "spent") {
        refreshed.push(step.nth);
        kept = { ...kept, hash: `token ${issued++}`, expiresAt: now + LIFE };
        wrongly ||= misused || bearer?.tokenVersion !== 0;
      } else {
        kept = null;
        misused ||= step.nth < issued - 1;
      }
    }
  }
  return { refreshed, wrongly };
}

test("in any history each token refreshes at most once, in their order, and none after a misuse or a loss of rights", () => {
  fc.assert(
    fc.property(steps, (history) => {
      const { refreshed, wrongly } = play(history);
      expect(wrongly).toBe(false);
      expect(refreshed).toEqual(refreshed.map((_, index) => index));
    }),
    { numRuns: 500 },
  );
});

const states: TokenState[] = ["good", "spent", "expired", "revoked"];
const actions: TokenAction[] = ["use", "refresh", "expire", "revoke"];

test("no token that is not good becomes good again, or is of any use", () => {
  for (const state of states.filter((one) => one !== "good")) {
    for (const action of actions) expect(nextTokenState(state, action)).not.toBe("good");
    expect(nextTokenState(state, "use")).toMatch(/^TOKEN_/);
  }
});
