import { ConvexError } from "convex/values";
import fc from "fast-check";
import { expect, test } from "vitest";
import { describeIssues } from "../../convex/contract/errors";
import { addMultipleParticipants } from "../../convex/contract/meetingsLifecycle";
import { parse } from "../../convex/model/parse";

const { args: schema } = addMultipleParticipants;

/** Values that fit somewhere, and some that fit nowhere. */
const value = fc.oneof(
  fc.constantFrom<unknown>(
    "host",
    "observer",
    "ada@example.com",
    " padded ",
    "\ud800",
    "",
    "+49 30 1234567",
    "skip",
  ),
  fc.constantFrom<unknown>(0, 7, 1.5, 2 ** 40, true, null, [], {}),
  fc.string(),
  fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.string(), fc.constant(1)), { maxKeys: 3 }),
);

/** Fields in any order. */
function shuffled<Fields extends object>(record: fc.Arbitrary<Fields>): fc.Arbitrary<Fields> {
  return record.chain((fields) =>
    fc
      .shuffledSubarray(Object.entries(fields), { minLength: Object.keys(fields).length })
      .map((entries) => Object.fromEntries(entries) as Fields),
  );
}

const goodEntry = fc.record(
  {
    role: fc.constantFrom("host", "co-host", "participant", "observer"),
    userId: fc.string(),
    displayName: fc.constantFrom("Ada", " Ada "),
    attributes: fc.dictionary(fc.constantFrom("team", "seat"), fc.string()),
    level: fc.integer({ min: -5, max: 5 }),
    hideHistory: fc.boolean(),
  },
  { requiredKeys: ["role", "userId"] },
);

const anyEntry = fc.record(
  Object.fromEntries(
    "role userId externalId guestId email orgId displayName nickname capabilities attributes level department phone sip other"
      .split(" ")
      .map((name) => [name, value]),
  ),
  { requiredKeys: [] },
);

const anyArgs = shuffled(
  fc.record(
    {
      meetingId: fc.oneof({ weight: 5, arbitrary: fc.string() }, value),
      participants: fc.oneof(
        { weight: 5, arbitrary: fc.array(shuffled(goodEntry), { maxLength: 4 }) },
        {
          weight: 5,
          arbitrary: fc.array(fc.oneof(shuffled(goodEntry), shuffled(anyEntry)), { maxLength: 4 }),
        },
        value,
      ),
      onExisting: fc.constantFrom("skip", "update", "forget"),
      onFull: fc.constantFrom("waitlist", "failAll"),
      dryRun: value,
    },
    { requiredKeys: ["meetingId", "participants"] },
  ),
);

/** What the schema itself says, as JSON, which shows the order of fields. */
function said(given: unknown): string {
  const { success, data, error } = schema.safeParse(given);
  return JSON.stringify(success ? data : { code: "INVALID_ARGUMENT", ...describeIssues(error) });
}

function saidByParse(given: unknown): string {
  try {
    return JSON.stringify(parse(schema, given));
  } catch (error) {
    if (error instanceof ConvexError) return JSON.stringify(error.data);
    throw error;
  }
}

test("arguments are parsed as their schema says, however often that has been used", () => {
  fc.assert(
    fc.property(anyArgs, (args) => {
      expect(saidByParse(args)).toBe(said(args));
    }),
    { numRuns: 1000 },
  );
});
