import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { bundleApp } from "../../embedded/loader/bundle";
import { call, signIn } from "../../scripts/project";
import {
  APP_FOLDER,
  PROJECT_FOLDER,
  childEnvironment,
  newDataFolder,
  spawnServer,
  temporaryFolder,
} from "./server";

type PushedModule = { path: string; source: string; environment: "isolate" | "node" };
type PushRequest = { appDefinition: { schema: PushedModule; changedModules: PushedModule[] } };

let request: PushRequest;

// The official CLI bundles and writes down what it would send; it never reaches the address.
beforeAll(async () => {
  const file = path.join(await temporaryFolder(), "push");
  const flags = "--yes --typecheck disable --codegen disable --push-all-modules --write-push-request";
  await convex(`deploy ${flags} ${file}`, { url: "http://127.0.0.1:1", adminKey: "nobody|0000" });
  request = JSON.parse(await readFile(`${file}.json`, "utf8")) as PushRequest;
});

test("the official bundler makes the same modules of the app as the embedded one, for Node that which sends mail alone", async () => {
  const { changedModules } = request.appDefinition;
  const own = changedModules.filter(
    (module) => !module.path.startsWith("_deps/") && module.path !== "auth.config.js",
  );
  expect(own.map((module) => module.path).toSorted()).toEqual(
    (await bundleApp(APP_FOLDER)).functionModules.toSorted(),
  );
  expect(own.filter(({ environment }) => environment === "node").map((module) => module.path)).toEqual([
    "smtp.js",
  ]);
});

test("npm start -- --pushed serves nothing until convex deploy has pushed the product, and then that, also after a kill", async () => {
  const dataFolder = await newDataFolder();
  const first = await spawnServer({ dataFolder, args: ["--pushed"] });
  expect((await fetch(`${first.siteUrl}/health`)).status).toBe(404);
  const pushed = await convex("deploy --yes --typecheck disable --codegen disable", first);
  expect(pushed).toContain("Added table indexes:");
  await first.process.line(/^Pushed\.$/);
  first.process.signal("SIGKILL");
  await first.process.ended;

  const server = await spawnServer({ dataFolder, args: ["--pushed"] });
  const host = await signIn(server, { email: "host@example.com" });
  const ann = await signIn(server, { email: "ann@example.com" });
  const meeting = { title: "Pushed" };
  const { meetingId } = await call<{ meetingId: string }>(
    server,
    host.token,
    "meetings/lifecycle/createMeeting",
    meeting,
  );
  const participants = [ann.userId, "nobody"].map((userId) => ({ userId, role: "participant" }));
  expect(
    await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", { meetingId, participants }),
  ).toEqual({
    added: [expect.any(String)],
    skipped: [{ userId: "nobody", reason: "User not found", code: "user_not_found" }],
    success: true,
  });
  const health = await fetch(`${server.siteUrl}/health`);
  expect(await health.json()).toEqual({ status: "ok" });
});

test("the pushed product sends mail: its module for Node holds all that it needs", async () => {
  const server = await spawnServer({ args: ["--pushed"] });
  await convex("deploy --yes --typecheck disable --codegen disable", server);
  // Nobody answers there, so that the attempt fails, and says how.
  await convex("env set SMTP_URL smtp://127.0.0.1:1", server);
  await convex("env set MAIL_FROM meetings@example.com", server);
  const host = await signIn(server, { email: "host@example.com" });
  const { meetingId } = await call<{ meetingId: string }>(
    server,
    host.token,
    "meetings/lifecycle/createMeeting",
    { title: "Pushed" },
  );
  await call(server, host.token, "meetings/invitations/inviteParticipants", {
    meetingId,
    invitations: [{ email: "grace@example.com" }],
  });
  const list = `run outbox:list {"paginationOpts":{"numItems":1,"cursor":null}}`;
  await expect.poll(() => convex(list, server), { timeout: 30_000 }).toContain('"lastError": "ESOCKET"');
});

/** Runs the official command line in the project against a server; gives all that it has printed. */
async function convex(words: string, { url, adminKey }: { url: string; adminKey: string }): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    path.join(PROJECT_FOLDER, "node_modules/.bin/convex"),
    words.split(" "),
    {
      cwd: PROJECT_FOLDER,
      env: childEnvironment({ CONVEX_SELF_HOSTED_URL: url, CONVEX_SELF_HOSTED_ADMIN_KEY: adminKey }),
    },
  );
  return stdout + stderr;
}
