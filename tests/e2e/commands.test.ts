/** The commands of the README, run as a reader of it runs them. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { userIdForEmail } from "../../embedded/index";
import {
  call,
  newDataFolder,
  request,
  run,
  runCommand,
  signIn,
  spawnServer,
  spawnStart,
  START,
  startServer,
  temporaryFolder,
  tokenFor,
  type Ended,
  type SpawnedServer,
} from "./server";

/** An empty variable outweighs a developer's own `.env.local`. */
const DEVELOPMENT = { WORKOS_CLIENT_ID: "" };

let server: SpawnedServer;

beforeAll(async () => {
  server = await spawnServer();
});

/** Runs an npm script quietly, in the project as everybody does. */
function npmRun(script: string, args: readonly string[], env: NodeJS.Dict<string> = {}): Promise<Ended> {
  return runCommand("npm", ["run", "--silent", script, "--", ...args], { env: { ...DEVELOPMENT, ...env } });
}

const JWT_LINE = /^[\w-]+\.[\w-]+\.[\w-]+\n$/;

function claimsOf(token: string): Record<string, unknown> {
  const [, claims = ""] = token.split(".");
  return JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, unknown>;
}

describe.concurrent("npm run token", () => {
  test("prints one token that the running server takes, and its owner is a user", async () => {
    const { code, stdout, stderr } = await npmRun("token", ["ann@example.com", "--data", server.dataFolder]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringMatching(JWT_LINE),
      stderr: "",
    });
    const user = await call(server, stdout.trim(), "users/queries/getCurrentUser", {});
    expect(user).toMatchObject({ email: "ann@example.com", workosUserId: userIdForEmail("ann@example.com") });
  });

  test("works with the data folder alone, and the server that is started later takes the token", async () => {
    const dataFolder = await newDataFolder();
    const args = ["bob@example.com", "--org", "org_1", "--role", "admin", "--data", dataFolder];
    const { code, stdout, stderr } = await npmRun("token", args);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringMatching(JWT_LINE),
      stderr: "",
    });
    const later = await startServer({ dataFolder });
    expect(await call(later, stdout.trim(), "users/queries/getCurrentUser", {})).toMatchObject({
      email: "bob@example.com",
      orgId: "org_1",
      orgRole: "admin",
    });
    const { token } = await signIn(later, "cyd", { organizationId: "org_1" });
    const paginationOpts = { numItems: 10, cursor: null };
    const { page } = await call<{ page: object[] }>(later, token, "users/queries/listActiveUsersInOrg", {
      paginationOpts,
    });
    expect(page).toHaveLength(2);
  });

  test("works after the server was killed, whose address is still written down", async () => {
    const killed = await spawnServer();
    await killed.process.kill();
    const { code, stdout, stderr } = await npmRun("token", ["ann@example.com", "--data", killed.dataFolder]);
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringMatching(JWT_LINE),
      stderr: "",
    });
  });

  test("has the shape of WorkOS's tokens, with the e-mail address that a JWT template adds: five minutes, no audience", async () => {
    const claims = claimsOf(
      await tokenFor(server, "ann@example.com", { organizationId: "org_1", role: "member" }),
    );
    expect(claims).toEqual({
      iss: expect.stringMatching(/^https:\/\/api\.workos\.com\/user_management\/client_/),
      sub: userIdForEmail("ann@example.com"),
      email: "ann@example.com",
      sid: expect.stringMatching(/^session_/),
      jti: expect.any(String),
      org_id: "org_1",
      role: "member",
      iat: expect.any(Number),
      exp: Number(claims["iat"]) + 300,
    });
  });

  test("is refused when WorkOS is who signs tokens", async () => {
    const dataFolder = await newDataFolder();
    const environment = {
      WORKOS_CLIENT_ID: "client_real",
      WORKOS_JWKS_URL: 'data:application/json,{"keys":[]}',
    };
    const { code, stdout, stderr } = await npmRun(
      "token",
      ["ann@example.com", "--data", dataFolder],
      environment,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^WORKOS_CLIENT_ID is set, so only WorkOS can sign tokens\..*\n$/);
  });

  test("tells how it is used when it is used otherwise", async () => {
    const misuses = [[], ["no-address"], ["a@example.com", "b@example.com"], ["a@example.com", "--nonsense"]];
    for (const { code, stdout, stderr } of await Promise.all(misuses.map((args) => npmRun("token", args)))) {
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toContain("Usage: npm run --silent token -- <email>");
    }
  });
});

describe.concurrent("npm run admin-key", () => {
  test("prints the key of the data folder, with which the admin is let in", async () => {
    const { code, stdout, stderr } = await npmRun("admin-key", ["--data", server.dataFolder]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${server.adminKey}\n`, stderr: "" });
    const answer = await request(`${server.url}/api/function`, {
      body: { path: "no:thing", args: {} },
      headers: { Authorization: `Convex ${stdout.trim()}` },
    });
    expect(answer.status).toBe(200);
  });

  test("says that there is none before the first start", async () => {
    const { code, stdout, stderr } = await npmRun("admin-key", ["--data", await newDataFolder()]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^There is no admin key in .*\n$/);
  });
});

test("npm run demo adds 1,000 people, says who was skipped and why, and counts", async () => {
  const dataFolder = await newDataFolder();
  const { code, stdout, stderr } = await npmRun("demo", ["--data", dataFolder]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("added 1000, skipped 0");
  expect(stdout).toContain("added 0, skipped 4");
  expect(stdout.match(/Already a participant \(already_participant\)/g)).toHaveLength(3);
  expect(stdout).toContain("skipped nobody: User not found (user_not_found)");
  expect(stdout).toContain("participantCount: 1001 ");
});

describe.concurrent("npm start", () => {
  test("prints a curl that creates a meeting when it is pasted", async () => {
    await server.process.line(/^ +-d '/);
    const [command] = /^curl (?:.*\\\n)+.*$/m.exec(server.process.stdout) ?? [];
    const { code, stdout, stderr } = await runCommand("bash", ["-c", command ?? ""], { env: DEVELOPMENT });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({
      status: "success",
      value: { meetingId: expect.any(String), maxParticipants: 25 },
    });
  });

  test("prints where everything is, and that sign-in is for development", () => {
    const { stdout } = server.process;
    expect(stdout).toContain(server.url);
    expect(stdout).toContain(`${server.siteUrl}/docs/`);
    expect(stdout).toContain(server.dataFolder);
    expect(stdout).toContain("WORKOS_CLIENT_ID is not set");
    expect(stdout).not.toContain(server.adminKey);
  });

  test("with WorkOS neither signs tokens nor takes those of development", async () => {
    const dataFolder = await newDataFolder();
    const development = await startServer({ dataFolder });
    const token = await tokenFor(development, "host@example.com");
    await development.close();
    const real = await startServer({
      dataFolder,
      environment: { WORKOS_CLIENT_ID: "client_real", WORKOS_JWKS_URL: 'data:application/json,{"keys":[]}' },
    });
    expect(real.developmentIssuer).toBeNull();
    expect((await run(real.siteUrl, "users/queries/getCurrentUser", {}, token)).status).toBe(401);
  });

  test("--help tells of every flag and its variable, and starts nothing", async () => {
    const { code, stdout } = await (await spawnStart({ args: ["--help"] })).ended;
    expect(code).toBe(0);
    for (const word of ["--port", "--site-port", "--data", "--host", "--admin-key"])
      expect(stdout).toContain(word);
    for (const word of ["PORT", "SITE_PORT", "DATA_FOLDER", "BIND_HOST", "ADMIN_KEY"]) {
      expect(stdout).toContain(`[${word}]`);
    }
  });
});

describe.concurrent("settings", () => {
  /** Starts without flags for what is to be set otherwise. */
  async function startIn(cwd: string, env: NodeJS.Dict<string>, args: readonly string[] = []) {
    const child = await spawnStart({ cwd, env, args });
    await child.line(/^ {2}Data /);
    return child;
  }

  test("come from the environment, and flags outweigh it", async () => {
    const cwd = await temporaryFolder();
    const env = { PORT: "1", SITE_PORT: "1", DATA_FOLDER: "from-variable", ADMIN_KEY: "embedded|variable" };
    const child = await startIn(cwd, env, ["--admin-key", "embedded|flag"]);
    expect(child.stdout).toContain(`${path.join(cwd, "from-variable")}\n`);
    // The ports are from flags too.
    expect(child.stdout).not.toMatch(/127\.0\.0\.1:1\b/);
    const key = await npmRun("admin-key", [], { DATA_FOLDER: path.join(cwd, "from-variable") });
    expect(key.stdout).toBe("embedded|flag\n");
  });

  test.each([
    ["PORT", "abc", '--port must be a number from 0 to 65535, not "abc"'],
    ["BIND_HOST", "192.0.2.1", "This machine has no such address. Choose another with --host."],
  ])("a mistake in %s is told like one in the flag", async (name, value, message) => {
    const node = ["--import", import.meta.resolve("tsx"), START];
    const env = { PORT: "0", SITE_PORT: "0", DATA_FOLDER: await newDataFolder(), [name]: value };
    const { code, stderr } = await runCommand(process.execPath, node, { cwd: await temporaryFolder(), env });
    expect([code, stderr]).toEqual([1, `${message}\n`]);
  });

  test("come from .env.local too, which the environment outweighs; the app reads them", async () => {
    const cwd = await temporaryFolder();
    const page = "https://app.example.com";
    await writeFile(
      path.join(cwd, ".env.local"),
      `# of this machine\nALLOWED_ORIGINS="${page}"\nRATE_LIMIT_PER_SECOND=many\nDATA_FOLDER=from-file\nADMIN_KEY=\n`,
    );
    const child = await startIn(cwd, { RATE_LIMIT_PER_SECOND: "0" });
    expect(child.stdout).toContain(`${path.join(cwd, "from-file")}\n`);
    const [, siteUrl = ""] = await child.line(/^ {2}HTTP routes +(http:\S+)$/);
    const health = await request(`${siteUrl}/health`, { headers: { Origin: page } });
    expect(health.headers.get("access-control-allow-origin")).toBe(page);
    const key = await npmRun("admin-key", ["--data", path.join(cwd, "from-file")]);
    expect(key.stdout).toMatch(/^embedded\|[0-9a-f]{64}\n$/);
  });
});

describe("what the server shows without a token", () => {
  test("the documentation page and all that it loads, from this machine alone", async () => {
    const page = await request(`${server.siteUrl}/docs/`);
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining("swagger-ui") });
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    const html = String(page.body);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !link.startsWith("data:"));
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) {
      const url = new URL(link, `${server.siteUrl}/docs/`);
      expect(url.origin).toBe(server.siteUrl);
      expect(await request(url.href)).toMatchObject({ status: 200 });
    }
    expect(html).not.toMatch(/https?:\/\//);
  });

  test("the page's program and style as such", async () => {
    const script = await request(`${server.siteUrl}/docs/swagger-ui-bundle.js`);
    expect(script.status).toBe(200);
    expect(script.headers.get("content-type")).toMatch(/^text\/javascript/);
    expect(String(script.body).length).toBeGreaterThan(100_000);
    const style = await request(`${server.siteUrl}/docs/swagger-ui.css`);
    expect(style.headers.get("content-type")).toMatch(/^text\/css/);
  });

  test("/docs leads to the page, and nothing else lies under it", async () => {
    const response = await fetch(`${server.siteUrl}/docs`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([308, "/docs/"]);
    await response.body?.cancel();
    for (const name of ["nothing.js", "package.json%00", ".package.json", "..%2f..%2fpackage.json"]) {
      expect((await request(`${server.siteUrl}/docs/${name}`)).status).toBe(404);
    }
  });

  test("the OpenAPI document, in which every path is one that the server answers", async () => {
    const answer = await request(`${server.siteUrl}/openapi.json`);
    expect(answer).toMatchObject({
      status: 200,
      body: { openapi: "3.0.3", info: { title: "Connvo Convex API" } },
    });
    const { paths } = answer.body as { paths: Record<string, Record<string, unknown>> };
    for (const [name, operations] of Object.entries(paths)) {
      for (const method of Object.keys(operations)) {
        const { status } = await request(`${server.siteUrl}${name}`, { method: method.toUpperCase() });
        expect([name, status]).not.toEqual([name, 404]);
        expect([name, status]).not.toEqual([name, 405]);
      }
    }
  });

  test("its health", async () => {
    expect(await request(`${server.siteUrl}/health`)).toMatchObject({ status: 200, body: { status: "ok" } });
  });
});
