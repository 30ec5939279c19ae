import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { bundleApp } from "../../embedded/loader/bundle";
import { call, signIn } from "../../scripts/project";
import { APP_FOLDER, PROJECT_FOLDER, childEnvironment, startServer, temporaryFolder } from "./server";

type PushedModule = { path: string; source: string; environment: "isolate" | "node" };
type PushRequest = { appDefinition: { schema: PushedModule; changedModules: PushedModule[] } };

let request: PushRequest;

// The official CLI bundles and writes down what it would send; it never reaches the address.
beforeAll(async () => {
  const file = path.join(await temporaryFolder(), "push");
  const flags = "--yes --typecheck disable --codegen disable --push-all-modules --write-push-request";
  await promisify(execFile)(
    path.join(PROJECT_FOLDER, "node_modules/.bin/convex"),
    ["deploy", ...flags.split(" "), file],
    {
      cwd: PROJECT_FOLDER,
      env: childEnvironment({
        CONVEX_SELF_HOSTED_URL: "http://127.0.0.1:1",
        CONVEX_SELF_HOSTED_ADMIN_KEY: "nobody|0000",
      }),
    },
  );
  request = JSON.parse(await readFile(`${file}.json`, "utf8")) as PushRequest;
});

test("the official bundler makes the same modules of the app as the embedded one, none of them for Node", async () => {
  const { changedModules } = request.appDefinition;
  const own = changedModules.filter(
    (module) => !module.path.startsWith("_deps/") && module.path !== "auth.config.js",
  );
  expect(own.map((module) => module.path).toSorted()).toEqual(
    (await bundleApp(APP_FOLDER)).functionModules.toSorted(),
  );
  expect(new Set(changedModules.map(({ environment }) => environment))).toEqual(new Set(["isolate"]));
});

test("what would be pushed to Convex plays the main job", async () => {
  const folder = path.join(await temporaryFolder(), "convex");
  const { schema, changedModules } = request.appDefinition;
  for (const module of [schema, ...changedModules]) {
    const file = path.join(folder, module.path);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, module.source);
  }
  const server = await startServer({ appFolder: folder });
  const host = await signIn(server, { email: "host@example.com" });
  const ann = await signIn(server, { email: "ann@example.com" });
  const { meetingId } = await call<{ meetingId: string }>(
    server,
    host.token,
    "meetings/lifecycle/createMeeting",
    {
      title: "Pushed",
    },
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
  expect(server.faults).toEqual([]);
});
