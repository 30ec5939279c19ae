import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { api } from "../../convex/_generated/api";
import { codeOf, errorOf, newMeeting, signUp } from "./setup";

const { importParticipants } = api.meetings.lifecycle;

type Options = Omit<(typeof importParticipants)["_args"], "meetingId" | "format" | "text">;

/** A meeting, and how its host imports people. */
async function stage(args: Parameters<typeof newMeeting>[0] = {}) {
  const setting = await newMeeting(args);
  const { app, host, meetingId } = setting;
  const importer =
    (format: "csv" | "ics") =>
    (text: string, options: Options = {}) =>
      host.as.mutation(importParticipants, { meetingId, format, text, ...options });
  const all = (table: "guests" | "meetingParticipants" | "meetingEvents" | "waitlist") =>
    app.run((ctx) => ctx.db.query(table).collect());
  return { ...setting, importCsv: importer("csv"), importIcs: importer("ics"), all };
}

const calendar = (...lines: string[]) => ["BEGIN:VCALENDAR", ...lines, "END:VCALENDAR"].join("\r\n");
const event = (...lines: string[]) => ["BEGIN:VEVENT", ...lines, "END:VEVENT"];

describe("CSV", () => {
  test("adds whom its lines name, with what they say of them", async () => {
    const { app, importCsv, rows, all } = await stage();
    const ada = await signUp(app, "ada");
    const outcome = await importCsv(
      "userId,email,name,nickname,role,department,level\n" +
        `${ada.id},other@example.com,Ada,Countess,Co-Host,Engines,3\n` +
        ",grace@example.com,Grace,,,,\n",
    );
    expect(outcome).toEqual({ added: [expect.any(String), expect.any(String)], skipped: [], success: true });
    expect((await rows()).slice(1)).toMatchObject([
      {
        userId: ada.id,
        displayName: "Ada",
        nickname: "Countess",
        role: "co-host",
        department: "Engines",
        level: 3,
      },
      { displayName: "Grace", role: "participant" },
    ]);
    expect(await all("guests")).toMatchObject([{ email: "grace@example.com", displayName: "Grace" }]);
  });

  test.each([
    ["commas and any order and case", "ROLE,Display Name,E-Mail\nobserver,Ada,ada@example.com"],
    ["semicolons", "email;name;role\nada@example.com;Ada;observer"],
    ["tabs", "email\tname\trole\nada@example.com\tAda\tobserver"],
    ["a byte order mark and CRLF", "\ufeffemail,name,role\r\nada@example.com,Ada,observer\r\n"],
    ["quoted fields and old line ends", '"email","name","role"\r"ada@example.com","Ada","observer"'],
    ["empty lines and spaces", "\nemail , name, role\n\n ada@example.com , Ada , Observer \n\n"],
    ["missing cells", "email,name,role,level,nickname\nada@example.com,Ada,observer"],
  ])("may have %s", async (_, text) => {
    const { importCsv, rows, all } = await stage();
    expect(await importCsv(text)).toMatchObject({ added: [expect.any(String)], skipped: [] });
    expect((await rows())[1]).toMatchObject({ displayName: "Ada", role: "observer" });
    expect(await all("guests")).toMatchObject([{ email: "ada@example.com" }]);
  });

  test("is told line by line what is wrong, and columns of which nothing is known", async () => {
    const { app, host, importCsv } = await stage();
    const gone = await signUp(app, "gone");
    await gone.as.mutation(api.users.mutations.deactivateUser, { userId: gone.id });
    const outcome = await importCsv(
      [
        "email,userId,externalId,guestId,level,shoe size", // 1
        "a@example.com,,,,1,38", // 2
        '"two\nlines",,,,,', // 3 and 4
        "", // 5
        `,${gone.id},,,,`, // 6
        ",nobody,,,,", // 7
        ",,,nobody,,", // 8
        ",,,,2,", // 9
        "b@example.com,,,,high,", // 10
        "A@EXAMPLE.COM,,,,,", // 11
        `,${host.id},,,,`, // 12
        "c@example.com,,,,,,surplus", // 13
        '"d"@example.com,,,,,', // 14
      ].join("\n"),
    );
    expect(outcome.ignoredColumns).toEqual(["shoe size"]);
    expect(outcome.skipped.map(({ line, code, userId }) => ({ line, code, userId }))).toEqual([
      { line: 3, code: "invalid_line" },
      { line: 6, code: "user_inactive", userId: gone.id },
      { line: 7, code: "user_not_found", userId: "nobody" },
      { line: 8, code: "guest_not_found" },
      { line: 9, code: "invalid_line" },
      { line: 10, code: "invalid_line" },
      { line: 11, code: "duplicate" },
      { line: 12, code: "already_participant", userId: host.id },
      { line: 13, code: "invalid_line" },
      { line: 14, code: "invalid_line" },
    ]);
    expect(outcome.skipped.find(({ line }) => line === 9)?.reason).toBe(
      "Has none of userId, guestId, externalId, email",
    );
    expect(outcome.skipped.find(({ line }) => line === 10)?.reason).toMatch(/^level: /);
    expect(outcome.added).toHaveLength(1);
  });

  test.each([
    ["", /no header row/],
    ["name,role\nAda,host", /none of the columns/],
    ["email,E-Mail\na@example.com,b@example.com", /Two columns .* stand for email/],
    [`email${",x".repeat(250)}\na@example.com`, /more than 250 columns/],
    [`email,${"x".repeat(321)}\na@example.com`, /name has more than 320 characters/],
    ['email,"name\na@example.com,Ada', /^Line 1: /],
  ])("without a good header row is refused: %j", async (text, message) => {
    const { importCsv } = await stage();
    const error = await errorOf(importCsv(text));
    expect(error.code).toBe("IMPORT_UNREADABLE");
    expect(error.message).toMatch(message);
  });

  test("has at most 1,000 lines", async () => {
    const { importCsv, rows } = await stage();
    const lines = Array.from({ length: 1001 }, (_, index) => `p${index}@example.com`);
    expect(await codeOf(importCsv(["email", ...lines].join("\n")))).toBe("IMPORT_TOO_LARGE");
    expect(await rows()).toHaveLength(1);
    const skipped = await importCsv(["email", ...lines.slice(0, 1000)].join("\n"), { dryRun: true });
    expect(skipped.added.length + skipped.skipped.length).toBe(1000);
  });

  test("of any text is read or refused, and every line that is skipped is one of the text", async () => {
    const { importCsv } = await stage();
    const cell = fc.oneof(
      fc.constantFrom("a@example.com", "host", "", '"', '""', '"x\ny"', "7", "\u{1f600}"),
      fc.string({ maxLength: 6 }),
    );
    const row = fc.array(cell, { maxLength: 4 }).map((cells) => cells.join(","));
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 6 }), async (lines) => {
        const text = ["email,role,level", ...lines].join("\n");
        const { added, skipped } = await importCsv(text, { dryRun: true });
        const numbers = skipped.map(({ line }) => line);
        const count = text.split(/\r\n?|\n/).length;
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
        expect(numbers.every((line) => line > 1 && line <= count)).toBe(true);
        expect(added.length + skipped.length).toBeLessThan(count);
      }),
      { numRuns: 50 },
    );
  });
});

describe("iCalendar", () => {
  test("adds the attendees of all events, chairs as hosts", async () => {
    const { app, importIcs, rows, all } = await stage();
    const ada = await signUp(app, "ada", { email: "ada@example.com" });
    const outcome = await importIcs(
      calendar(
        ...event('ATTENDEE;CN="Lovelace, Ada";ROLE=CHAIR:mailto:Ada@example.com', "STATUS:CONFIRMED"),
        ...event("attendee;cn=Grace Hop", " per;ROLE=OPT-PARTICIPANT:MAILTO:grace%40example.com?subject=Hi"),
        ...event("ATTENDEE;EMAIL=lin@example.com;CN=lin@example.com:urn:uuid:1"),
      ),
      { defaultRole: "observer" },
    );
    expect(outcome).toMatchObject({ added: [1, 2, 3].map(() => expect.any(String) as string), skipped: [] });
    expect((await rows()).slice(1)).toMatchObject([
      { userId: ada.id, role: "host", displayName: "Lovelace, Ada" },
      { role: "observer", displayName: "Grace Hopper" },
      { role: "observer" },
    ]);
    expect((await all("guests")).map((guest) => "email" in guest && guest.email)).toEqual(
      expect.arrayContaining(["grace@example.com", "lin@example.com"]),
    );
  });

  test("is told which attendees are no people, have no address, or belong to cancelled events and alarms", async () => {
    const { importIcs } = await stage();
    const { added, skipped } = await importIcs(
      calendar(
        ...event(
          "ATTENDEE;CUTYPE=ROOM:mailto:room@example.com", // 3
          "ATTENDEE;CUTYPE=resource:mailto:beamer@example.com", // 4
          "ATTENDEE:tel:+49123", // 5
          'ATTENDEE;CN="Ada:mailto:ada@example.com', // 6
          "ATTENDEE:mailto:nobody", // 7
          `ATTENDEE;X=${"y".repeat(9000)}:mailto:long@example.com`, // 8
          "BEGIN:VALARM",
          "ATTENDEE:mailto:alarm@example.com",
          "END:VALARM",
        ),
        ...event("ATTENDEE:mailto:off@example.com", "STATUS:CANCELLED"), // 14
      ),
    );
    expect(added).toEqual([]);
    expect(skipped.map(({ line, code }) => [line, code])).toEqual([
      [3, "not_a_person"],
      [4, "not_a_person"],
      [5, "invalid_line"],
      [6, "invalid_line"],
      [7, "invalid_line"],
      [8, "invalid_line"],
      [14, "cancelled"],
    ]);
    const method = calendar("METHOD:CANCEL", ...event("ATTENDEE:mailto:a@example.com"));
    expect((await importIcs(method)).skipped).toMatchObject([{ line: 4, code: "cancelled" }]);
  });

  test.each([
    "",
    "email\nada@example.com",
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nATTENDEE:mailto:ada@example.com",
    "BEGIN:VEVENT\nEND:VEVENT",
    "BEGIN:VCALENDAR\nEND:VEVENT",
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VEVENT\nEND:VEVENT\nEND:VEVENT\nEND:VCALENDAR",
  ])("that is none is refused: %j", async (text) => {
    const { importIcs } = await stage();
    expect(await codeOf(importIcs(text))).toBe("IMPORT_UNREADABLE");
  });
});

describe("policies", () => {
  test("a dry run gives the answer of the real one, and writes nothing", async () => {
    const { importCsv, rows, all, meeting } = await stage();
    const text = "email,role\nada@example.com,host\nbad,host\nada@example.com,host";
    const before = { rows: await rows(), meeting: await meeting() };
    const dry = await importCsv(text, { dryRun: true });
    expect({ rows: await rows(), meeting: await meeting() }).toEqual(before);
    expect(await all("guests")).toEqual([]);
    const real = await importCsv(text);
    expect({ ...real, added: [] }).toEqual({ ...dry, added: [] });
    expect(real.added).toHaveLength(dry.added.length);
  });

  test("the whole fails with the line to blame, and adds nobody", async () => {
    const { importCsv, rows, all } = await stage({ maxParticipants: 2 });
    const failAll = { onInvalid: "failAll" } as const;
    const unreadable = await errorOf(importCsv("email\na@example.com\n\nbad", failAll));
    expect(unreadable).toMatchObject({
      code: "IMPORT_UNREADABLE",
      message: expect.stringMatching(/^Line 4: /),
    });
    const unknown = await errorOf(importCsv("email,userId\na@example.com,\n,nobody", failAll));
    expect(unknown).toMatchObject({ code: "USER_NOT_FOUND", message: "Line 3: User not found" });
    const full = await errorOf(importCsv("email\na@example.com\nb@example.com", { onFull: "failAll" }));
    expect(full).toMatchObject({ code: "MEETING_FULL", message: "Line 3: Meeting is full" });
    expect([await rows(), await all("guests")].map(({ length }) => length)).toEqual([1, 0]);
  });

  test("people who are there are updated or returned, and those without a place wait", async () => {
    const { importCsv, rows, meeting } = await stage({ maxParticipants: 2 });
    const { added } = await importCsv("email,name\nada@example.com,Ada");
    expect(await importCsv("email\nADA@example.com", { onExisting: "return" })).toMatchObject({
      existing: added,
    });
    const outcome = await importCsv("email,name\nada@example.com,Countess\nbob@example.com,Bob", {
      onExisting: "update",
      onFull: "waitlist",
    });
    expect(outcome).toMatchObject({
      added: [],
      updated: added,
      waitlisted: [expect.any(String)],
      skipped: [],
    });
    expect((await rows())[1]).toMatchObject({ displayName: "Countess" });
    expect(await meeting()).toMatchObject({ participantCount: 2, waitlistCount: 1 });
  });

  test("the same key gives the same answer, and nothing is done twice", async () => {
    const { importCsv, rows } = await stage();
    const once = await importCsv("email\nada@example.com", { idempotencyKey: "k" });
    expect(await importCsv("email\nada@example.com", { idempotencyKey: "k" })).toEqual(once);
    expect(await codeOf(importCsv("email\nbob@example.com", { idempotencyKey: "k" }))).toBe(
      "IDEMPOTENCY_CONFLICT",
    );
    expect(await rows()).toHaveLength(2);
  });

  test("an address that nobody has is a guest's, who is the user with that verified address from then on", async () => {
    const { app, importCsv, rows, all } = await stage();
    const { added } = await importCsv("email,role\nGrace@Example.com,co-host");
    expect((await importCsv("email\ngrace@example.com")).skipped).toMatchObject([
      { code: "already_participant" },
    ]);
    expect(await all("guests")).toHaveLength(1);
    const grace = await signUp(app, "grace", { email: "grace@example.com" });
    expect((await rows())[1]).toMatchObject({ _id: added[0], userId: grace.id, role: "co-host" });
  });

  test.each([
    ["with the external id first", "crm-1,x@example.com\n,X@example.com", ["crm-1"]],
    ["alone first", ",x@example.com\ncrm-1,X@example.com", ["crm-1"]],
    ["with two external ids", "crm-1,x@example.com\ncrm-2,x@example.com\n,x@example.com", ["crm-1", "crm-2"]],
  ])(
    "an address given alone and with a new external id is one guest's: %s",
    async (_, lines, externalIds) => {
      const { importCsv, all } = await stage();
      const { added, skipped } = await importCsv(`externalId,email\n${lines}`);
      expect(added).toHaveLength(externalIds.length);
      expect(skipped.map(({ code }) => code)).toEqual(["duplicate"]);
      expect(await all("guests")).toMatchObject(
        externalIds.map((externalId) => ({ externalId, email: "x@example.com" })),
      );
    },
  );

  test.each([
    ["a user's", "crm-1,grace@example.com"],
    ["a guest's without an address", "crm-1,"],
  ])("an address that is given with an external id of %s is another guest's", async (_, first) => {
    const { app, importCsv, all } = await stage();
    await signUp(app, "grace", { email: "grace@example.com" });
    const { added, skipped } = await importCsv(
      `externalId,email\n${first}\ncrm-1,x@example.com\n,x@example.com`,
    );
    expect([added.length, skipped.map(({ line, code }) => [line, code])]).toEqual([2, [[3, "duplicate"]]]);
    expect((await all("guests")).map((guest) => "externalId" in guest)).toEqual([true, false]);
    expect((await importCsv("externalId\ncrm-1")).skipped).toMatchObject([{ code: "already_participant" }]);
  });

  test("an address that nobody has stays unknown to those who add people one by one", async () => {
    const { host, meetingId, all } = await stage();
    const { skipped } = await host.as.mutation(api.meetings.lifecycle.addMultipleParticipants, {
      meetingId,
      participants: [{ email: "ada@example.com", role: "participant" }],
    });
    expect(skipped).toMatchObject([{ code: "user_not_found" }]);
    expect(await all("guests")).toEqual([]);
  });
});
