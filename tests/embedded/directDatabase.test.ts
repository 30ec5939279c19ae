/** `ctx.db` without JSON text (directDatabase.js) beside the convex package's own, which makes a text of all it asks for. */
import { afterEach, describe, expect, test } from "vitest";
import { MemoryStore } from "../../embedded/storage/memoryStore";
import type { Json } from "../../embedded/values/json";
import { startRuntime, type TestRuntime } from "./harness";

let runtimes: TestRuntime[] = [];

afterEach(() => {
  expect(runtimes.flatMap(({ faults }) => faults)).toEqual([]);
  runtimes = [];
});

async function start(options: Parameters<typeof startRuntime>[1] = {}): Promise<TestRuntime> {
  const runtime = await startRuntime(new MemoryStore(), options);
  runtimes.push(runtime);
  return runtime;
}

/** What comes of a probe on an app of its own, without the parts that differ from run to run. */
async function outcomeOf(name: string, byText: boolean): Promise<string> {
  const outcome = await (await start({ byText })).outcome("mutation", "probes:probe", { name });
  const { message = "", data = null } = outcome.ok ? {} : outcome.failure;
  const text = JSON.stringify([outcome.ok && (JSON.parse(outcome.value) as Json), message, data]);
  return text.replaceAll(/[0-9a-z]{32}/g, "<id>").replaceAll(/("_creationTime":)[\d.]+/g, "$1<time>");
}

describe("what an app sees of its database", async () => {
  const names = await (await startRuntime()).query<string[]>("probes:names");
  test.each(names)("is the same with and without text between it and the runtime (%s)", async (name) => {
    expect(await outcomeOf(name, false)).toEqual(await outcomeOf(name, true));
  });
});

test("no text is made for what is plain", async () => {
  const counted = await (await start()).mutation<{ texts: number }>("probes:countTexts");
  const withText = await (await start({ byText: true })).mutation<{ texts: number }>("probes:countTexts");
  expect(counted.texts).toBe(0);
  expect(withText.texts).toBeGreaterThan(0);
});
