import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { StartError } from "../../embedded/index";
import { explainStartFailure } from "../../embedded/startError";
import { refusalOfDisk } from "../../embedded/storage/diskError";

const systemError = (fields: { code: string | number; syscall?: string }) =>
  Object.assign(new Error("of the system"), fields);

test("a refusal of the disk is found by its name or its number, and behind the errors that it has caused", () => {
  for (const code of ["ENOSPC", 28]) {
    const refusal = { code: "ENOSPC", advice: "make room on its disk" };
    expect(refusalOfDisk(systemError({ code }))).toEqual(refusal);
    expect(refusalOfDisk(new Error("outer", { cause: systemError({ code }) }))).toEqual(refusal);
  }
});

test("other errors are none, nor are those of watching files that have the code of a full disk", () => {
  expect(refusalOfDisk(systemError({ code: "ENOSPC", syscall: "watch" }))).toBe(null);
  expect(refusalOfDisk(systemError({ code: 98 }))).toBe(null);
  expect(refusalOfDisk(systemError({ code: 123_456 }))).toBe(null);
  expect(refusalOfDisk("ENOSPC")).toBe(null);
});

test.runIf(process.platform === "linux")(
  "a start that a full disk has ended says what to do (only on Linux)",
  () => {
    let full: unknown;
    try {
      writeFileSync("/dev/full", "text");
    } catch (error) {
      full = error;
    }
    const explained = explainStartFailure(new Error("The database could not be written", { cause: full }));
    expect(explained).toBeInstanceOf(StartError);
    expect((explained as StartError).message).toBe(
      "The data folder cannot be written to (ENOSPC): make room on its disk, or choose another data folder.",
    );
  },
);
