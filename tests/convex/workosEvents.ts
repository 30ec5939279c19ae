/** Events as WorkOS sends them to the webhook. */
import type { App } from "./setup";

export const WEBHOOK_SECRET = "whsec_test";

/** Signs as WorkOS does: milliseconds, and HMAC-SHA256 over the time and the body. */
export async function sign(body: string, atMs: number, key = WEBHOOK_SECRET): Promise<string> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const cryptoKey = await crypto.subtle.importKey("raw", encode(key), algorithm, false, ["sign"]);
  const digest = new Uint8Array(await crypto.subtle.sign("HMAC", cryptoKey, encode(`${atMs}.${body}`)));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `t=${atMs}, v1=${hex}`;
}

/** Sends an event to the webhook, signed now unless told otherwise. */
export async function deliver(app: App, event: unknown, signature?: string): Promise<Response> {
  const body = JSON.stringify(event);
  return app.fetch("/webhooks/workos", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "WorkOS-Signature": signature ?? (await sign(body, Date.now())),
    },
    body,
  });
}

/** A minute of the day of the events, as WorkOS writes times. */
export const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();

/** An event of the user `user_ada`, unless `data` says otherwise. */
export function userEvent(id: string, event: string, minute: number, data: Record<string, unknown> = {}) {
  return {
    id,
    event,
    created_at: at(minute),
    data: {
      object: "user",
      id: "user_ada",
      email: "ada@workos.example",
      first_name: "Ada",
      last_name: "Lovelace",
      profile_picture_url: null,
      updated_at: at(minute),
      ...data,
    },
  };
}

/** An event of the membership of `user_ada` in `org_1`, unless `data` says otherwise. */
export function membershipEvent(
  id: string,
  event: string,
  minute: number,
  data: Record<string, unknown> = {},
) {
  return {
    id,
    event,
    created_at: at(minute),
    data: {
      object: "organization_membership",
      id: "om_1",
      user_id: "user_ada",
      organization_id: "org_1",
      status: "active",
      role: { slug: "member" },
      created_at: at(0),
      updated_at: at(minute),
      ...data,
    },
  };
}
