/**
 * Secrets: made, hashed, encrypted, compared. What needs randomness runs in actions only, as queries and mutations have
 * none that is fit for secrets.
 */
import { fail } from "./errors";

const encoder = new TextEncoder();
const KEY_BYTES = 32;
const IV_BYTES = 12;

/** Random bytes in base64url; 32 of them are beyond guessing. For actions. */
export function randomSecret(bytes = KEY_BYTES): string {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A new secret to sign webhooks with, as Standard Webhooks writes it. For actions. */
export function newSigningSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(KEY_BYTES))))}`;
}

/** Random characters out of `alphabet`, for names that people copy by hand. For actions. */
export function randomText(alphabet: string, length: number): string {
  // Bytes that would favour the first characters of the alphabet are thrown away.
  const limit = 256 - (256 % alphabet.length);
  let made = "";
  while (made.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < limit && made.length < length) made += alphabet.charAt(byte % alphabet.length);
    }
  }
  return made;
}

/** SHA-256 in hex: enough to keep a secret by that nobody can guess. */
export async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** HMAC-SHA256. For actions. */
export async function hmacSha256(
  key: string | ArrayBuffer | Uint8Array<ArrayBuffer>,
  text: string,
): Promise<ArrayBuffer> {
  const raw = typeof key === "string" ? encoder.encode(key) : key;
  const imported = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return crypto.subtle.sign("HMAC", imported, encoder.encode(text));
}

/** Are they the same? Takes as long for any two texts of one length, so that nobody can feel their way to a secret. */
export function sameSecret(one: string, other: string): boolean {
  const [a, b] = [encoder.encode(one), encoder.encode(other)];
  let difference = a.length ^ b.length;
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0);
  return difference === 0;
}

/** Encrypts a secret that is needed again, with CREDENTIALS_KEY; NOT_CONFIGURED without one. For actions. */
export async function seal(secret: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const key = await credentialsKey("encrypt");
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, encoder.encode(secret));
  return `${base64url(iv)}.${base64url(new Uint8Array(sealed))}`;
}

/** Decrypts what {@link seal} made; NOT_CONFIGURED if that was with another key. For actions. */
export async function unseal(sealed: string): Promise<string> {
  const [iv = "", data = ""] = sealed.split(".");
  const key = await credentialsKey("decrypt");
  const opened = await crypto.subtle
    .decrypt({ name: "AES-GCM", iv: fromBase64(iv) }, key, fromBase64(data))
    .catch(() => fail("NOT_CONFIGURED", "CREDENTIALS_KEY is not the one with which secrets were encrypted"));
  return new TextDecoder().decode(opened);
}

/** A secret of the deployment for one purpose, in hex, made of CREDENTIALS_KEY; NOT_CONFIGURED without one. For actions. */
export async function derivedSecret(purpose: string): Promise<string> {
  return hex(await hmacSha256(requireCredentialsKey(), purpose));
}

export function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function credentialsKey(use: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", requireCredentialsKey(), "AES-GCM", false, [use]);
}

function requireCredentialsKey(): Uint8Array<ArrayBuffer> {
  const bytes = keyBytes(process.env.CREDENTIALS_KEY ?? "");
  if (bytes?.length !== KEY_BYTES) {
    fail("NOT_CONFIGURED", `CREDENTIALS_KEY must be ${KEY_BYTES} bytes in base64`);
  }
  return bytes;
}

function keyBytes(setting: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return fromBase64(setting.trim());
  } catch {
    return undefined;
  }
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** Takes both alphabets of base64. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
