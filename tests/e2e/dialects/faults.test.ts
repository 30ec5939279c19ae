/** What clients of other systems are told when something is wrong with the deployment itself. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { RoomServiceClient } from "livekit-server-sdk";
import { expect, test } from "vitest";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { PROJECT_FOLDER, runCommand, temporaryFolder, type TestServer } from "../server";
import { ChalkClient } from "./chalkClient";
import { chimeClient, newChimeMeeting, thrownBy } from "./chimeClient";
import { failureOf, HuaweiClient } from "./huaweiClient";
import { newCredentials, startDialectServer } from "./tenant";
import { goRequest, send } from "./volcengineClient";

/** Status and words of the answers to whoever makes a meeting. */
async function refusals(server: TestServer, credentials: NewCredentials) {
  const chime = chimeClient(server, credentials, { maxAttempts: 1 });
  const conversation = { AppId: 1, ConversationCoreInfo: { ConversationType: 2 }, OwnerUserId: 1 };
  const volcengine = goRequest(
    server.siteUrl,
    "CreateConversation",
    JSON.stringify(conversation),
    credentials,
  );
  const huawei = new HuaweiClient(server, credentials);
  await huawei.login();
  const chalk = ChalkClient.withKey(server, credentials.chalkApiKey);
  const { accessKeyId, secretAccessKey, chalkApiKey } = credentials;
  const livekit = new RoomServiceClient(server.siteUrl, accessKeyId, secretAccessKey);
  const volcengineAnswer = await send(volcengine);
  return {
    chime: await thrownBy(newChimeMeeting(chime)),
    volcengine: {
      status: volcengineAnswer.status,
      ...volcengineAnswer.body.ResponseMetadata.Error,
    },
    huawei: await failureOf(huawei.create()),
    chalkRoom: await chalk.send("POST", "/rooms", {}),
    chalkSession: await chalk.send("POST", "/auth/token", { api_key: chalkApiKey }),
    livekit: await thrownBy(livekit.createRoom({ name: "room" })),
  };
}

test("where a tenant is missing in the data, every wire says in its words that it has failed, and nothing of why", async () => {
  const server = await startDialectServer();
  const credentials = await newCredentials(server);
  const file = path.join(await temporaryFolder(), "tenants.jsonl");
  await writeFile(file, "");
  const convex = path.join(PROJECT_FOLDER, "node_modules/.bin/convex");
  const imported = await runCommand(convex, ["import", "--table", "tenants", "--replace", "--yes", file], {
    env: { CONVEX_SELF_HOSTED_URL: server.url, CONVEX_SELF_HOSTED_ADMIN_KEY: server.adminKey },
  });
  expect(imported).toMatchObject({ code: 0 });

  expect(await refusals(server, credentials)).toMatchObject({
    chime: {
      name: "ServiceFailureException",
      Code: "ServiceFailure",
      message: "The service encountered an unexpected error.",
      $metadata: { httpStatusCode: 500 },
    },
    volcengine: {
      status: 500,
      CodeN: 100001,
      Code: "UndefinedError",
      Message: "Something went wrong on the server",
    },
    huawei: { httpStatusCode: 500, errorCode: "MMC.111070003", errorMsg: "System processing failure" },
    chalkRoom: { status: 500, body: { error: "internal server error" } },
    livekit: { status: 500, code: "internal", message: "internal error" },
  });
  expect(server.faults).toEqual([]);
});

test("where the key for secrets is missing, every wire says in its words that it can't serve, and nothing of why", async () => {
  const before = await startDialectServer();
  const credentials = await newCredentials(before);
  await before.close();
  const server = await startDialectServer({ CREDENTIALS_KEY: "" }, before.dataFolder);

  expect(await refusals(server, credentials)).toMatchObject({
    chime: {
      name: "ServiceUnavailableException",
      message: "Try again later",
      $metadata: { httpStatusCode: 503 },
    },
    volcengine: { status: 500, Code: "UndefinedError", Message: "Something went wrong on the server" },
    huawei: { httpStatusCode: 500, errorCode: "MMC.111070003", errorMsg: "System processing failure" },
    chalkSession: { status: 503, body: { error: "service unavailable" } },
    livekit: { status: 503, code: "unavailable", message: "try again later" },
  });
  expect(server.faults).toEqual([]);
});
