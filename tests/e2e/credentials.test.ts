import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { PROJECT_FOLDER, runCommand, startServer, temporaryFolder, type TestServer } from "./server";

const SECRETS = ["secretAccessKey", "chalkApiKey", "huaweiPassword"] as const;

function credentials(server: Pick<TestServer, "url" | "dataFolder">, tenant: string, ...flags: string[]) {
  const { port } = new URL(server.url);
  const args = ["run", "--silent", "credentials", "--", "--tenant", tenant, "--data", server.dataFolder];
  return runCommand("npm", [...args, "--port", port, ...flags], { cwd: PROJECT_FOLDER });
}

/** Calls a function as the administrator. */
async function asAdmin(
  server: TestServer,
  route: "function" | "query",
  path: string,
  args: object,
): Promise<unknown> {
  const response = await fetch(`${server.url}/api/${route}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Convex ${server.adminKey}` },
    body: JSON.stringify({ path, args, format: "json" }),
  });
  return ((await response.json()) as { value: unknown }).value;
}

test("npm run credentials prints a new set each time, whose secrets are kept nowhere in the clear", async () => {
  const key = randomBytes(32).toString("base64");
  const server = await startServer({ environment: { CREDENTIALS_KEY: key } });
  const printed = [await credentials(server, "acme"), await credentials(server, "acme", "--label", "second")];
  const sets = printed.map(({ code, stdout }) => {
    expect(code).toBe(0);
    return JSON.parse(stdout) as Record<string, string>;
  });
  for (const set of sets) {
    expect(Object.keys(set).toSorted()).toEqual(
      ["tenant", "accessKeyId", "huaweiAccount", ...SECRETS].toSorted(),
    );
    expect(set["tenant"]).toBe("acme");
  }
  const values = sets.flatMap((set) => [
    set["accessKeyId"],
    set["huaweiAccount"],
    ...SECRETS.map((secret) => set[secret]),
  ]);
  expect(new Set(values).size).toBe(values.length);

  const kept = JSON.stringify([
    await asAdmin(server, "query", "_system/cli/tableData:default", {
      table: "accessKeys",
      order: "asc",
      paginationOpts: { numItems: 10, cursor: null },
    }),
    await asAdmin(server, "function", "credentials:list", { tenant: "acme" }),
  ]);
  expect(kept).toContain("sealedSecret");
  for (const set of sets) {
    expect(kept).toContain(set["accessKeyId"]);
    for (const secret of SECRETS) expect(kept).not.toContain(set[secret]);
  }
});

test("npm run credentials says what is wrong", async () => {
  const server = await startServer();
  const elsewhere = { url: "http://127.0.0.1:9", dataFolder: server.dataFolder };
  const [badName, empty, nobody, noKey] = await Promise.all([
    credentials(server, "a b"),
    credentials(server, ""),
    credentials(elsewhere, "acme"),
    credentials({ url: server.url, dataFolder: await temporaryFolder() }, "acme"),
  ]);
  for (const { code, stdout } of [badName, empty, nobody, noKey])
    expect([code === 0, stdout]).toEqual([false, ""]);
  expect(badName?.stderr).toContain("Must be up to 64 letters");
  expect(nobody?.stderr).toContain("Nothing answers at http://127.0.0.1:9");
  expect(noKey?.stderr).toContain("There is no admin key");
});

test("a deployment whose CREDENTIALS_KEY is unfit makes no credentials, says so, and keeps the key", async () => {
  const server = await startServer({ environment: { CREDENTIALS_KEY: "c2hvcnQ=" } });
  const { code, stderr } = await credentials(server, "acme");
  expect(code).not.toBe(0);
  expect(stderr).toContain("CREDENTIALS_KEY must be 32 bytes in base64");
});

test("a development server without a CREDENTIALS_KEY gets one, and keeps it", async () => {
  const server = await startServer();
  const [first, second] = [await credentials(server, "acme"), await credentials(server, "acme")];
  expect([first.code, second.code]).toEqual([0, 0]);
  const issued = await asAdmin(server, "query", "_system/cli/queryEnvironmentVariables:get", {
    name: "CREDENTIALS_KEY",
  });
  expect(issued).toMatchObject({ name: "CREDENTIALS_KEY", value: expect.stringMatching(/^[\w+/]{43}=$/) });
});
