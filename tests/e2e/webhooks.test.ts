/** Webhooks as their receivers see them: over HTTP, from the embedded server, also when it is killed. */
import { Webhook } from "standardwebhooks";
import { afterAll, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import {
  call,
  newDataFolder,
  newMeeting,
  run,
  signIn,
  spawnServer,
  startServer,
  type Person,
} from "./server";
import type { Server } from "../../embedded/index";
import { newMeeting as newMeetingHere } from "../convex/setup";
import { WebhookReceiver } from "./webhookReceiver";

const environment = {
  CREDENTIALS_KEY: Buffer.from("k".repeat(32)).toString("base64"),
  WEBHOOKS_ALLOW_HTTP: "1",
};

const receivers: WebhookReceiver[] = [];
afterAll(() => {
  for (const receiver of receivers) receiver.close();
});

async function newReceiver(): Promise<{ receiver: WebhookReceiver; url: string }> {
  const receiver = new WebhookReceiver();
  receivers.push(receiver);
  return { receiver, url: await receiver.listen() };
}

function register(server: Server, host: Person, url: string) {
  const path = "webhooks/endpoints/createWebhookEndpoint";
  return call<{ endpointId: string; secret: string }>(server, host.token, path, { url });
}

test("events arrive signed and in their order, also if some are refused at first; a replay sends them again", async () => {
  const server = await startServer({ environment });
  const host = await signIn(server, "host");
  const { receiver, url } = await newReceiver();
  const { endpointId, secret } = await register(server, host, url);

  let refusals = 0;
  receiver.answer = ({ sequence }) => (sequence === 2 && refusals++ === 0 ? 302 : 200);
  const meetingId = await newMeeting(server, host);
  await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  await call(server, host.token, "meetings/lifecycle/joinMeeting", { meetingId });
  const messages = [...(await receiver.messages(5))];
  expect(messages.map(({ sequence }) => sequence)).toEqual([1, 2, 2, 3, 4]);
  expect(messages[1]?.id).toBe(messages[2]?.id);
  for (const { headers, body, type } of messages) {
    expect(new Webhook(secret).verify(body, headers)).toMatchObject({ type, data: { meetingId } });
  }
  expect(() => new Webhook(secret).verify(`${messages[0]?.body} `, messages[0]?.headers ?? {})).toThrow(
    "No matching signature found",
  );

  const replay = { endpointId, meetingId, fromSequence: 3 };
  await call(server, host.token, "webhooks/deliveries/replayWebhookEvents", replay);
  const replayed = (await receiver.messages(7)).slice(5);
  expect(replayed.map(({ id }) => id)).toEqual(messages.slice(3).map(({ id }) => id));
  expect(server.faults).toEqual([]);
});

test("while a secret is being changed receivers of either accept what is sent; a ping says what came of it", async () => {
  const server = await startServer({ environment });
  const host = await signIn(server, "host");
  const { receiver, url } = await newReceiver();
  const { endpointId, secret } = await register(server, host, url);
  const rotated = await call<{ secret: string }>(
    server,
    host.token,
    "webhooks/endpoints/rotateWebhookSecret",
    { endpointId },
  );
  const ping = () => call(server, host.token, "webhooks/deliveries/pingWebhookEndpoint", { endpointId });
  expect(await ping()).toEqual({ delivered: true, status: 204 });
  const [message] = await receiver.messages(1);
  for (const either of [secret, rotated.secret]) {
    expect(new Webhook(either).verify(message?.body ?? "", message?.headers ?? {})).toMatchObject({
      type: "webhook.ping",
      data: { endpointId },
    });
  }
  receiver.answer = () => 410;
  expect(await ping()).toEqual({ delivered: false, status: 410, failure: "status" });
  receiver.close();
  expect(await ping()).toEqual({ delivered: false, failure: "unreachable" });
  expect(server.faults).toEqual([]);
});

test("without leave for development nothing is sent to an address that is not public", async () => {
  const server = await startServer({ environment: { ...environment, WEBHOOKS_ALLOW_HTTP: "" } });
  const host = await signIn(server, "host");
  const { url } = await newReceiver();
  const { body } = await run(server.siteUrl, "webhooks/endpoints/createWebhookEndpoint", { url }, host.token);
  expect(body).toMatchObject({ errorData: { code: "WEBHOOK_URL_NOT_ALLOWED" } });
});

test("a kill between two attempts loses no event and changes no order", async () => {
  const dataFolder = await newDataFolder();
  const first = await spawnServer({ dataFolder, env: environment });
  const host = await signIn(first, "host");
  const { receiver, url } = await newReceiver();
  await register(first, host, url);
  receiver.answer = () => 503;
  const meetingId = await newMeeting(first, host);
  await receiver.messages(1);
  await call(first, host.token, "meetings/lifecycle/startMeeting", { meetingId });
  await first.process.kill();

  receiver.answer = () => 200;
  const before = (await receiver.messages(1)).length;
  const second = await spawnServer({ dataFolder, env: environment });
  const messages = await receiver.messages(before + 3);
  expect(messages.slice(0, before).every(({ sequence }) => sequence === 1)).toBe(true);
  expect(messages.slice(before).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  await second.close();
});

test("a dead letter that is sent again arrives as it was, and is dead no longer if it is accepted", async () => {
  vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] });
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const { app, host, meetingId } = await newMeetingHere();
  const { receiver, url } = await newReceiver();
  const { endpoints, deliveries } = api.webhooks;
  const { endpointId } = await host.as.action(endpoints.createWebhookEndpoint, { url });
  await app.mutation(internal.webhooks.queue.wake, { meetingId, fromSequence: 1 });
  receiver.answer = () => 500;
  const [first] = await receiver.messages(1);
  await app.finishInProgressScheduledFunctions();
  const [cursor] = await app.run((ctx) => ctx.db.query("webhookCursors").collect());
  if (!cursor) throw new Error("There is no cursor");
  vi.setSystemTime(Date.now() + 3 * 24 * 60 * 60_000);
  await app.action(internal.webhooks.sending.send, { cursorId: cursor._id });

  const dead = async () => {
    const args = { endpointId, state: "dead" as const, paginationOpts: { numItems: 5, cursor: null } };
    return (await host.as.query(deliveries.listWebhookDeliveries, args)).page;
  };
  const [letter] = await dead();
  if (!letter) throw new Error("There is no dead letter");
  const retry = () => host.as.action(deliveries.retryWebhookDelivery, { deliveryId: letter._id });
  expect(await retry()).toEqual({ delivered: false, status: 500, failure: "status" });
  receiver.answer = () => 200;
  expect(await retry()).toEqual({ delivered: true, status: 200 });
  expect(await dead()).toEqual([]);
  const messages = await receiver.messages(4);
  expect(messages.filter(({ id, body }) => id === first?.id && body === first.body)).toHaveLength(4);
  vi.useRealTimers();
  vi.unstubAllEnvs();
});
