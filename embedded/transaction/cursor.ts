/**
 * Cursors of paginated queries. A cursor is a position in the key space of one index, so it stays right when the document
 * it stands on is deleted. Clients get it encrypted: a key holds values of indexed fields, which they may not be
 * allowed to see, and a cursor that they make up must not be accepted.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac } from "node:crypto";
import { InvalidCursorError } from "./errors";

/** `after`: the key, without the index's prefix, behind which the next page begins. `end`: nothing comes any more. */
export type Cursor = { readonly after: string } | { readonly end: true };

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FINGERPRINT_BYTES = 8;

/** What tells one query from another: what it scans and how it filters, but not where it is. */
export function queryFingerprint(query: unknown): Buffer {
  return createHash("sha256").update(JSON.stringify(query)).digest().subarray(0, FINGERPRINT_BYTES);
}

/** Encrypts a cursor. The same cursor always gives the same text, so that equal results of a query are equal. */
export function sealCursor(cursor: Cursor, fingerprint: Buffer, secret: Buffer): string {
  const position = "end" in cursor ? Buffer.from([0]) : Buffer.from(`\x01${cursor.after}`, "latin1");
  const plain = Buffer.concat([fingerprint, position]);
  const nonce = createHmac("sha256", secret).update(plain).digest().subarray(0, NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", secret, nonce);
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
}

/** Opens a cursor of the query with this fingerprint. Throws {@link InvalidCursorError} for any other text. */
export function openCursor(text: string, fingerprint: Buffer, secret: Buffer): Cursor {
  const plain = decrypt(Buffer.from(text, "base64url"), secret);
  if (plain === null || !plain.subarray(0, FINGERPRINT_BYTES).equals(fingerprint))
    throw new InvalidCursorError();
  const position = plain.subarray(FINGERPRINT_BYTES);
  return position[0] === 0 ? { end: true } : { after: position.toString("latin1", 1) };
}

function decrypt(bytes: Buffer, secret: Buffer): Buffer | null {
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}
