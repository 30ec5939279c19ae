import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api } from "../../convex/_generated/api";
import { type App, newApp, signUp } from "./setup";
import { deliver, userEvent, WEBHOOK_SECRET } from "./workosEvents";

beforeEach(() => void vi.stubEnv("WORKOS_WEBHOOK_SECRET", WEBHOOK_SECRET));
afterEach(() => void vi.unstubAllEnvs());

/** The verified address of each user who has one. */
async function addresses(app: App): Promise<Record<string, string>> {
  const rows = await app.run((ctx) => ctx.db.query("users").collect());
  return Object.fromEntries(
    rows.flatMap(({ workosUserId, verifiedEmail }) => (verifiedEmail ? [[workosUserId, verifiedEmail]] : [])),
  );
}

/** A report of WorkOS on a user. */
function report(user: string, minute: number, email: string, verified?: boolean, event = "user.updated") {
  return userEvent(`event_${user}_${minute}`, event, minute, {
    id: user,
    email,
    ...(verified !== undefined && { email_verified: verified }),
  });
}

describe("an address", () => {
  test("that a client only says is its own is nobody's", async () => {
    const app = newApp();
    await signUp(app, "ada");
    expect(await addresses(app)).toEqual({});
  });

  test("in the token is the caller's, in lower case, and is not shown", async () => {
    const app = newApp();
    const ada = await signUp(app, "ada", { email: "Ada@Example.com" });
    expect(await addresses(app)).toEqual({ ada: "ada@example.com" });
    expect(await ada.as.query(api.users.queries.getCurrentUser, {})).not.toHaveProperty("verifiedEmail");
  });

  test.each([{ email_verified: false }, { emailVerified: false }])(
    "in a token that says %j is not",
    async (claims) => {
      const app = newApp();
      await signUp(app, "ada", { email: "ada@example.com", ...claims });
      expect(await addresses(app)).toEqual({});
    },
  );

  test("that WorkOS reports as verified is the user's, until it reports otherwise", async () => {
    const app = newApp();
    await deliver(app, report("ada", 1, "Ada@Example.com", true));
    expect(await addresses(app)).toEqual({ ada: "ada@example.com" });
    await deliver(app, report("ada", 2, "new@example.com", false));
    expect(await addresses(app)).toEqual({});
    await deliver(app, report("ada", 3, "new@example.com", true));
    expect(await addresses(app)).toEqual({ ada: "new@example.com" });
    await deliver(app, report("ada", 4, "new@example.com", true, "user.deleted"));
    expect(await addresses(app)).toEqual({});
  });

  test("of a report counts for more than one of a token", async () => {
    const app = newApp();
    await deliver(app, report("ada", 1, "ada@example.com", false));
    await signUp(app, "ada", { email: "ada@example.com" });
    expect(await addresses(app)).toEqual({});
    await deliver(app, report("bob", 1, "bob@example.com", true));
    await signUp(app, "cyd", { email: "bob@example.com" });
    expect(await addresses(app)).toEqual({ bob: "bob@example.com" });
  });

  test("of two accounts belongs to the last to sign in", async () => {
    const app = newApp();
    await signUp(app, "ada", { email: "shared@example.com" });
    await signUp(app, "bob", { email: "shared@example.com" });
    expect(await addresses(app)).toEqual({ bob: "shared@example.com" });
  });
});

test("whatever the order of the reports, each address is that of the newest user who has it", async () => {
  const history = [
    report("ada", 1, "x@example.com", true),
    report("bob", 2, "x@example.com", true),
    report("bob", 4, "y@example.com", true),
    report("cyd", 3, "y@example.com", true),
    report("dee", 5, "z@example.com", false),
    report("eve", 6, "Z@example.com", true),
    report("eve", 7, "z@example.com", true, "user.deleted"),
    report("dee", 8, "z@example.com", true),
  ];
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(history, { minLength: history.length }), async (events) => {
      const app = newApp();
      for (const event of events) await deliver(app, event);
      expect(await addresses(app)).toEqual({
        ada: "x@example.com",
        bob: "y@example.com",
        dee: "z@example.com",
      });
    }),
    { numRuns: 30 },
  );
}, 60_000);
