"use node";
/** Sends e-mail by the SMTP server of SMTP_URL. In Node, since Convex's own runtime has no sockets. */
import { zodToConvex } from "convex-helpers/server/zod4";
import { v } from "convex/values";
import { createTransport } from "nodemailer";
import { internalAction } from "./_generated/server";
import {
  type AttemptOutcome,
  attemptOutcome,
  type OutgoingMessage,
  outgoingMessage,
} from "./contract/outbox";

const CONNECTIONS = 5;
const PATIENCE_MS = 20_000;

/** Tries once to send each message, and says what came of it. */
export const send = internalAction({
  args: { messages: v.array(zodToConvex(outgoingMessage)) },
  returns: v.array(zodToConvex(attemptOutcome)),
  handler: async (_, { messages }) => {
    const { SMTP_URL: url = "", MAIL_FROM: from = "" } = process.env;
    const transport = createTransport({
      url,
      pool: true,
      maxConnections: CONNECTIONS,
      connectionTimeout: PATIENCE_MS,
      greetingTimeout: PATIENCE_MS,
      socketTimeout: PATIENCE_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    const sendOne = async ({ messageId, attempt, to: address, subject, text }: OutgoingMessage) => {
      const to = { name: "", address };
      const outcome = await transport.sendMail({ from, to, subject, text }).then(() => ({}), problemOf);
      return { messageId, attempt, ...outcome };
    };
    try {
      return await Promise.all(messages.map(sendOne));
    } finally {
      transport.close();
    }
  },
});

/** Says what went wrong by codes alone, since what servers say may name the recipient. */
function problemOf(error: unknown): Pick<AttemptOutcome, "error" | "permanent"> {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  if (typeof responseCode !== "number") return { error: typeof code === "string" ? code : "unknown" };
  // A wrong password is mended in the settings, not in the message.
  return { error: `SMTP ${responseCode}`, permanent: responseCode >= 500 && code !== "EAUTH" };
}
