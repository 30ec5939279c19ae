/** Endpoints, and the way of events to them, but for the sending itself: that is tested over HTTP in tests/e2e/webhooks.test.ts. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { api, internal } from "../../convex/_generated/api";
import type { Id } from "../../convex/_generated/dataModel";
import type { EventType } from "../../convex/contract/events";
import { retryDelayMs } from "../../convex/model/webhookQueue";
import { isAllowedUrl } from "../../convex/model/webhookUrls";
import { codeOf, newMeeting, signUp } from "./setup";

const { createWebhookEndpoint, listWebhookEndpoints, updateWebhookEndpoint } = api.webhooks.endpoints;
const { rotateWebhookSecret, deleteWebhookEndpoint } = api.webhooks.endpoints;
const { listWebhookDeliveries, replayWebhookEvents, retryWebhookDelivery } = api.webhooks.deliveries;
const { wake, take, settle, wakeOverdue } = internal.webhooks.queue;
const { startMeeting, joinMeeting, leaveMeeting } = api.meetings.lifecycle;

const DAY_MS = 24 * 60 * 60_000;
const url = "https://hooks.example.com/meetings";
const paginationOpts = { numItems: 50, cursor: null };

beforeEach(() => {
  vi.stubEnv("CREDENTIALS_KEY", btoa("k".repeat(32)));
  // Nothing that is scheduled begins by itself: the tests do what it would do, one step after the other.
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);

/** A host with an endpoint and a meeting of four events: created, the host added, started, joined. */
async function stage(eventTypes?: EventType[]) {
  const { app, host, meetingId: other } = await newMeeting();
  pass(1);
  const created = await host.as.action(createWebhookEndpoint, { url, ...(eventTypes && { eventTypes }) });
  const { endpointId } = created;
  pass(1);
  const { meetingId } = await host.as.mutation(api.meetings.lifecycle.createMeeting, { title: "Watched" });
  await host.as.mutation(startMeeting, { meetingId });
  await host.as.mutation(joinMeeting, { meetingId });
  const wakeFrom = (fromSequence: number) => app.mutation(wake, { meetingId, fromSequence });
  const cursor = async () => {
    const [found] = await app.run((ctx) => ctx.db.query("webhookCursors").collect());
    if (!found) throw new Error("There is no cursor");
    return found;
  };
  const takeNext = async () => app.mutation(take, { cursorId: (await cursor())._id });
  type Order = NonNullable<Awaited<ReturnType<typeof takeNext>>>;
  const settleAs = ({ cursorId, lease, eventId }: Order, delivered: boolean) =>
    app.mutation(settle, {
      cursorId,
      lease,
      eventId,
      goesOn: true,
      attempt: delivered
        ? { delivered, status: 200 }
        : { delivered, status: 503, failure: "status" as const },
    });
  const deliveries = async (state?: "delivered" | "retrying" | "dead") => {
    const args = { endpointId, paginationOpts, ...(state && { state }) };
    return (await host.as.query(listWebhookDeliveries, args)).page;
  };
  /** Delivers all that is left, and gives the sequence of what was sent. */
  const drain = async () => {
    const sent: number[] = [];
    for (let order = await takeNext(); order; order = await settleAs(order, true))
      sent.push(sequenceOf(order));
    return sent;
  };
  return {
    app,
    host,
    endpointId,
    meetingId,
    other,
    created,
    wakeFrom,
    cursor,
    takeNext,
    settleAs,
    deliveries,
    drain,
  };
}

function sequenceOf({ task }: { task: { body: string } }): number {
  return (JSON.parse(task.body) as { data: { sequence: number } }).data.sequence;
}

describe("endpoints", () => {
  test("are the tenant's, and show no secret again", async () => {
    const { app, host, endpointId, created } = await stage();
    expect(created.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await host.as.query(listWebhookEndpoints, {})).toEqual([
      { _id: endpointId, _creationTime: expect.any(Number), url, enabled: true },
    ]);
    const kept = JSON.stringify(await app.run((ctx) => ctx.db.query("webhookEndpoints").collect()));
    expect(kept).not.toContain(created.secret.slice(6));
    const stranger = await signUp(app, "stranger");
    expect(await stranger.as.query(listWebhookEndpoints, {})).toEqual([]);
    const change = stranger.as.mutation(updateWebhookEndpoint, { endpointId, enabled: false });
    expect(await codeOf(change)).toBe("WEBHOOK_ENDPOINT_NOT_FOUND");
  });

  test("are changed, rotated and deleted; a tenant has at most ten", async () => {
    const { app, host, endpointId, created } = await stage();
    const eventTypes: EventType[] = ["meeting.started"];
    const changed = await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: false, eventTypes });
    expect(changed).toMatchObject({ enabled: false, eventTypes, url });
    const all = await host.as.mutation(updateWebhookEndpoint, { endpointId, eventTypes: null });
    expect(all).not.toHaveProperty("eventTypes");
    const rotated = await host.as.action(rotateWebhookSecret, { endpointId });
    expect(rotated.secret).not.toBe(created.secret);
    expect(rotated.previousSecretUntil).toBe(Date.now() + DAY_MS);
    for (let i = 1; i < 10; i++) await host.as.action(createWebhookEndpoint, { url });
    const oneMore = () => host.as.action(createWebhookEndpoint, { url });
    expect(await codeOf(oneMore())).toBe("TOO_MANY_WEBHOOK_ENDPOINTS");
    await host.as.mutation(deleteWebhookEndpoint, { endpointId });
    await oneMore();
    const [tenant] = await app.run((ctx) => ctx.db.query("tenants").collect());
    expect(tenant?.webhookEndpoints).toBe(10);
  });

  test("need a key to keep their secrets", async () => {
    const { host } = await newMeeting();
    vi.stubEnv("CREDENTIALS_KEY", "");
    expect(await codeOf(host.as.action(createWebhookEndpoint, { url }))).toBe("NOT_CONFIGURED");
  });

  test("are public https addresses only", async () => {
    const { host } = await newMeeting();
    for (const wrong of [
      "http://hooks.example.com/",
      "https://localhost/",
      "https://127.0.0.1/",
      "https://2130706433/",
      "https://0x7f.1/",
      "https://[::1]/",
      "https://169.254.169.254/latest/meta-data",
      "https://metadata.google.internal/",
      "https://printer.local./",
      "https://intranet/",
      "https://user:password@example.com/",
    ]) {
      expect([wrong, isAllowedUrl(wrong)]).toEqual([wrong, false]);
    }
    expect(isAllowedUrl(url)).toBe(true);
    const attempt = host.as.action(createWebhookEndpoint, { url: "https://127.1/" });
    expect(await codeOf(attempt)).toBe("WEBHOOK_URL_NOT_ALLOWED");
    vi.stubEnv("WEBHOOKS_ALLOW_HTTP", "1");
    expect([isAllowedUrl("http://127.0.0.1:8080/"), isAllowedUrl("ftp://127.0.0.1/")]).toEqual([true, false]);
  });
});

describe("events", () => {
  test("are sent one after the other, the next only when the one before is delivered", async () => {
    const { wakeFrom, takeNext, settleAs, drain } = await stage();
    await wakeFrom(1);
    const first = await takeNext();
    expect(first && sequenceOf(first)).toBe(1);
    expect(await takeNext()).toBeNull();
    const second = first && (await settleAs(first, true));
    expect(second && sequenceOf(second)).toBe(2);
    expect(second && (await settleAs(second, false))).toBeNull();
    expect(await takeNext()).toBeNull();
    pass(7_500);
    expect(await drain()).toEqual([2, 3, 4]);
  });

  test("say what has happened under an id that stays the same", async () => {
    const { app, meetingId, wakeFrom, takeNext } = await stage(["meeting.started"]);
    await wakeFrom(1);
    const order = await takeNext();
    const events = await app.run((ctx) => ctx.db.query("meetingEvents").collect());
    const started = events.find(({ type }) => type === "meeting.started");
    expect(order?.task).toMatchObject({ url, messageId: started?._id });
    expect(JSON.parse(order?.task.body ?? "")).toEqual({
      type: "meeting.started",
      timestamp: new Date(started?._creationTime ?? 0).toISOString(),
      data: {
        eventId: started?._id,
        meetingId,
        sequence: 3,
        actor: started?.actor,
        changes: started?.changes,
      },
    });
  });

  test("of the types that an endpoint wants are all that it gets", async () => {
    const { app, host, meetingId, wakeFrom, drain, cursor } = await stage([
      "participant.joined",
      "participant.left",
    ]);
    await wakeFrom(1);
    expect(await drain()).toEqual([4]);
    expect((await cursor()).dueAt).toBeUndefined();
    await host.as.mutation(leaveMeeting, { meetingId });
    await app.mutation(wake, { meetingId, fromSequence: 5 });
    expect(await drain()).toEqual([5]);
  });

  test("are all sent though their notices overtake each other, and none from before there was an endpoint", async () => {
    const { app, host, other, wakeFrom, drain } = await stage();
    await wakeFrom(4);
    await wakeFrom(1);
    expect(await drain()).toEqual([1, 2, 3, 4]);
    await host.as.mutation(startMeeting, { meetingId: other });
    await app.mutation(wake, { meetingId: other, fromSequence: 3 });
    const cursors = await app.run((ctx) => ctx.db.query("webhookCursors").collect());
    expect(cursors.find(({ meetingId }) => meetingId === other)?.sequence).toBe(3);
  });

  test("cost tenants without endpoints nothing", async () => {
    const { app, host, meetingId } = await newMeeting();
    await host.as.mutation(startMeeting, { meetingId });
    const scheduled = await app.run((ctx) => ctx.db.system.query("_scheduled_functions").collect());
    expect(scheduled.filter(({ name }) => name.includes("webhooks"))).toEqual([]);
  });

  test("whose sender dies are sent by the next, and what the dead one still says is not heard", async () => {
    const { app, wakeFrom, takeNext, settleAs, drain, deliveries } = await stage();
    await wakeFrom(1);
    const lost = await takeNext();
    pass(29_999);
    expect(await takeNext()).toBeNull();
    pass(1);
    await app.mutation(wakeOverdue, {});
    const scheduled = await app.run((ctx) => ctx.db.system.query("_scheduled_functions").collect());
    expect(scheduled.filter(({ name }) => name.includes("sending"))).toHaveLength(2);
    expect(await drain()).toEqual([1, 2, 3, 4]);
    expect(lost && (await settleAs(lost, false))).toBeNull();
    expect(await deliveries("retrying")).toEqual([]);
  });

  test("are dead letters after three days, and the next go on; a dead one can be sent again", async () => {
    const { host, wakeFrom, takeNext, settleAs, deliveries, drain } = await stage();
    await wakeFrom(1);
    const begin = Date.now();
    let attempts = 0;
    let order = await takeNext();
    while (order && sequenceOf(order) === 1) {
      attempts += 1;
      const next = await settleAs(order, false);
      if (!next) pass(9 * 60 * 60_000);
      order = next ?? (await takeNext());
    }
    expect(Date.now() - begin).toBe(3 * DAY_MS);
    expect(await deliveries("dead")).toMatchObject([
      { sequence: 1, attempts, status: 503, failure: "status" },
    ]);
    expect(order && sequenceOf(order)).toBe(2);
    expect(order && (await settleAs(order, true))).not.toBeNull();
    pass(30_000);
    expect(await drain()).toEqual([3, 4]);
    const [delivered] = await deliveries("delivered");
    const retry = host.as.action(retryWebhookDelivery, {
      deliveryId: delivered?._id as Id<"webhookDeliveries">,
    });
    expect(await codeOf(retry)).toBe("WEBHOOK_DELIVERY_NOT_DEAD");
  });

  test("are replayed from any of them on, whatever was under way", async () => {
    const { host, endpointId, meetingId, wakeFrom, takeNext, settleAs, drain } = await stage();
    await wakeFrom(1);
    expect(await drain()).toEqual([1, 2, 3, 4]);
    await host.as.mutation(replayWebhookEvents, { endpointId, meetingId, fromSequence: 3 });
    const underWay = await takeNext();
    await host.as.mutation(replayWebhookEvents, { endpointId, meetingId, fromSequence: 2 });
    expect(underWay && (await settleAs(underWay, true))).toBeNull();
    expect(await drain()).toEqual([2, 3, 4]);
    const unknown = host.as.mutation(replayWebhookEvents, { endpointId, meetingId: endpointId as never });
    expect(await codeOf(unknown)).toBe("MEETING_NOT_FOUND");
  });

  test("are passed over from the last one on when a replay begins beyond it, and none that comes is", async () => {
    const { host, endpointId, meetingId, wakeFrom, drain } = await stage();
    const replayFrom = (fromSequence: number) =>
      host.as.mutation(replayWebhookEvents, { endpointId, meetingId, fromSequence });
    await replayFrom(100);
    expect(await drain()).toEqual([]);
    await host.as.mutation(leaveMeeting, { meetingId });
    await wakeFrom(5);
    expect(await drain()).toEqual([5]);
    await replayFrom(100);
    expect(await drain()).toEqual([]);
    await host.as.mutation(joinMeeting, { meetingId });
    await wakeFrom(6);
    expect(await drain()).toEqual([6]);
  });

  test("are not sent to an endpoint that is disabled, which begins anew when it is enabled", async () => {
    const { app, host, endpointId, meetingId, wakeFrom, takeNext, drain } = await stage();
    await wakeFrom(1);
    await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: false });
    expect(await takeNext()).toBeNull();
    expect(await app.run((ctx) => ctx.db.query("webhookCursors").collect())).toEqual([]);
    const replay = () => host.as.mutation(replayWebhookEvents, { endpointId, meetingId });
    expect(await codeOf(replay())).toBe("WEBHOOK_ENDPOINT_DISABLED");
    pass(1);
    await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: true });
    await host.as.mutation(leaveMeeting, { meetingId });
    await wakeFrom(5);
    expect(await drain()).toEqual([5]);
    await replay();
    expect(await drain()).toEqual([1, 2, 3, 4, 5]);
  });

  const turns: [string, (staged: Awaited<ReturnType<typeof stage>>) => Promise<unknown>][] = [
    [
      "is disabled",
      ({ host, endpointId }) => host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: false }),
    ],
    [
      "was disabled meanwhile",
      async ({ host, endpointId }) => {
        await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: false });
        await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: true });
      },
    ],
    [
      "wants no such events any more",
      ({ host, endpointId }) =>
        host.as.mutation(updateWebhookEndpoint, { endpointId, eventTypes: ["meeting.ended"] }),
    ],
    [
      "is sent those from a later one on",
      ({ host, endpointId, meetingId }) =>
        host.as.mutation(replayWebhookEvents, { endpointId, meetingId, fromSequence: 3 }),
    ],
  ];

  test.each(turns)("that were to be sent again are dead letters when their endpoint %s", async (_, turn) => {
    const staged = await stage();
    const { wakeFrom, takeNext, settleAs, deliveries } = staged;
    await wakeFrom(1);
    const order = await takeNext();
    if (order) await settleAs(order, false);
    expect(await deliveries("retrying")).toMatchObject([{ sequence: 1, attempts: 1 }]);
    pass(1);
    await turn(staged);
    pass(7_500);
    await takeNext();
    expect(await deliveries("retrying")).toEqual([]);
    expect(await deliveries("dead")).toMatchObject([{ sequence: 1, attempts: 1, failure: "status" }]);
  });

  const places: [string, (staged: Awaited<ReturnType<typeof stage>>) => Promise<unknown>][] = [
    ["nothing was left", ({ drain }) => drain()],
    [
      "a retry was due",
      async ({ takeNext, settleAs }) => {
        const order = await takeNext();
        if (order) await settleAs(order, false);
      },
    ],
  ];

  test.each(places)(
    "that happen while an endpoint is disabled are left out when it is enabled again, and none after that, where %s",
    async (_, before) => {
      const staged = await stage();
      const { host, endpointId, meetingId, wakeFrom, takeNext, drain } = staged;
      await wakeFrom(1);
      await before(staged);
      pass(1);
      await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: false });
      let last = 4;
      /** More than one transaction looks at. */
      const happen = async () => {
        for (const end = last + 101; last < end; last++) {
          await host.as.mutation(last % 2 === 0 ? leaveMeeting : joinMeeting, { meetingId });
        }
      };
      await happen();
      pass(1);
      await host.as.mutation(updateWebhookEndpoint, { endpointId, enabled: true });
      const first = last + 1;
      await happen();
      await wakeFrom(first);
      pass(7_500);
      expect(await drain()).toEqual([]);
      expect(await drain()).toEqual(Array.from({ length: 101 }, (_, index) => first + index));
      await host.as.mutation(replayWebhookEvents, { endpointId, meetingId, fromSequence: first - 1 });
      const order = await takeNext();
      expect(order && sequenceOf(order)).toBe(first - 1);
    },
    60_000,
  );
});

type Step = "event" | "deliver" | "refuse" | "die" | "pass";

test("in any history of refusals and dying senders each event is delivered in its order, and none is left out", async () => {
  const steps = fc.array(fc.constantFrom<Step>("event", "deliver", "deliver", "refuse", "die", "pass"), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { app, host, meetingId, wakeFrom, takeNext, settleAs, drain } = await stage();
      await wakeFrom(1);
      let last = 4;
      let order = await takeNext();
      const delivered: number[] = [];
      for (const step of history) {
        if (step === "event") {
          await host.as.mutation(last % 2 === 0 ? leaveMeeting : joinMeeting, { meetingId });
          await app.mutation(wake, { meetingId, fromSequence: ++last });
        } else if (step === "pass") pass(60_000);
        else if (step === "die") order = null;
        else if (order) {
          const next = await settleAs(order, step === "deliver");
          if (step === "deliver") delivered.push(sequenceOf(order));
          order = next;
        }
        order ??= await takeNext();
      }
      pass(DAY_MS);
      delivered.push(...(await drain()));
      const firsts = [...new Set(delivered)];
      expect(firsts).toEqual(Array.from({ length: last }, (_, index) => index + 1));
      expect(delivered).toEqual(delivered.toSorted((one, other) => one - other));
    }),
    { numRuns: 15 },
  );
}, 60_000);

test("pauses grow to six hours and stay within half of that", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (attempts, chance) => {
        const delay = retryDelayMs(attempts, chance);
        const middle = Math.min(5_000 * 2 ** (attempts - 1), 6 * 60 * 60_000);
        expect(delay).toBeGreaterThanOrEqual(middle / 2);
        expect(delay).toBeLessThanOrEqual(middle * 1.5);
      },
    ),
  );
});
