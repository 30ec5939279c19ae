/** Invitations by a real mail server, and the outbox of a deployment without one. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";
import { afterAll, expect, test } from "vitest";
import { call, newMeeting, request, run, signIn, startServer, type TestServer, valueOf } from "./server";

const servers: SMTPServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.close(() => done()))));
});

type Mail = { to: string[]; from: string; source: string };

/** A mail server that takes everything but for some recipients, and tells of each mail and refusal. */
async function startMailServer(refuse: Readonly<Record<string, number>> = {}) {
  const seen: (Mail | string)[] = [];
  const waiting: (() => void)[] = [];
  const note = (event: Mail | string) => {
    seen.push(event);
    for (const wake of waiting.splice(0)) wake();
  };
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    onAuth: ({ username, password }, _session, done) =>
      username === "user" && password === "pass" ? done(null, { user: username }) : done(new Error("No")),
    onRcptTo: ({ address }, _session, done) => {
      const responseCode = refuse[address];
      if (responseCode === undefined) return done();
      note(address);
      done(Object.assign(new Error(`No ${address} here`), { responseCode }));
    },
    onData: (stream, { envelope }, done) => {
      void text(stream).then((source) => {
        done();
        const { mailFrom, rcptTo } = envelope;
        note({
          to: rcptTo.map(({ address }) => address),
          from: mailFrom === false ? "" : mailFrom.address,
          source,
        });
      });
    },
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://user:pass@127.0.0.1:${port}`,
    /** Waits for so many mails and refusals. */
    events: async (count: number) => {
      while (seen.length < count) await new Promise<void>((wake) => waiting.push(wake));
      return seen;
    },
  };
}

type Message = { to: string; state: string; lastError?: string; text?: string; attempts: number };

async function outbox(server: TestServer): Promise<Message[]> {
  const answer = await request(`${server.url}/api/function`, {
    headers: { Authorization: `Convex ${server.adminKey}` },
    body: { path: "outbox:list", args: { paginationOpts: { numItems: 50, cursor: null } } },
  });
  return valueOf<{ page: Message[] }>(answer).page;
}

/** Waits until no message is on its way. */
async function settledOutbox(server: TestServer): Promise<Record<string, Message>> {
  for (;;) {
    const messages = await outbox(server);
    if (
      messages.every(({ state, attempts }) => state !== "sending" && (state !== "queued" || attempts > 0))
    ) {
      return Object.fromEntries(messages.map((message) => [message.to, message]));
    }
    await new Promise((resume) => setImmediate(resume));
  }
}

test("a mail server gets each invitation, by whose link it can be accepted; what it refuses is told by codes", async () => {
  const mail = await startMailServer({ "full@example.com": 452, "nobody@example.com": 550 });
  const server = await startServer({
    environment: {
      SMTP_URL: mail.url,
      MAIL_FROM: "Meetings <meetings@example.com>",
      INVITATION_URL: "https://app.example.com/invitation#",
    },
  });
  const host = await signIn(server, "host");
  const meetingId = await newMeeting(server, host, { title: "Planung für März\u2028Bcc: x@example.com" });
  const invitations = ["grace", "nobody", "full"].map((name) => ({ email: `${name}@example.com` }));
  await call(server, host.token, "meetings/invitations/inviteParticipants", {
    meetingId,
    invitations: [...invitations, { sms: "+1 555 0100" }],
  });

  const mails = (await mail.events(3)).filter((event) => typeof event !== "string");
  expect(mails).toMatchObject([{ to: ["grace@example.com"], from: "meetings@example.com" }]);
  const messages = await settledOutbox(server);
  expect(messages["grace@example.com"]).toMatchObject({ state: "sent" });
  expect(messages["grace@example.com"]).not.toHaveProperty("text");
  expect(messages["nobody@example.com"]).toMatchObject({ state: "failed", lastError: "SMTP 550" });
  expect(messages["full@example.com"]).toMatchObject({ state: "queued", lastError: "SMTP 452", attempts: 1 });
  expect(messages["+1 555 0100"]).toMatchObject({ state: "held" });

  const body = decodeQuotedPrintable(mails[0]?.source ?? "");
  const [, token = ""] = /https:\/\/app\.example\.com\/invitation#([\w-]{43})\s/.exec(body) ?? [];
  const ann = await signIn(server, "ann");
  const accepted = await run(server.siteUrl, "meetings/invitations/acceptInvitation", { token }, ann.token);
  expect(valueOf(accepted)).toMatchObject({ meetingId });
  expect(server.faults).toEqual([]);
});

test("without a mail server the outbox holds what would have been sent, with the code in it", async () => {
  const server = await startServer();
  const host = await signIn(server, "host");
  const meetingId = await newMeeting(server, host);
  await call(server, host.token, "meetings/invitations/inviteParticipants", {
    meetingId,
    invitations: [{ email: "grace@example.com" }],
  });
  const { "grace@example.com": message } = await settledOutbox(server);
  expect(message).toMatchObject({ state: "held" });
  const [, token = ""] = /code of your invitation: (\S+)/.exec(message?.text ?? "") ?? [];
  const ann = await signIn(server, "ann");
  await call(server, ann.token, "meetings/invitations/acceptInvitation", { token });
  // Signing up with the address comes too late.
  const grace = await signIn(server, "grace");
  const late = await run(server.siteUrl, "meetings/queries/getMeeting", { meetingId }, grace.token);
  expect(late.status).toBe(403);
  expect(server.faults).toEqual([]);
});

function decodeQuotedPrintable(source: string): string {
  return source
    .replace(/=\r?\n/g, "")
    .replace(/=([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
