/** The small files beside the database, and the secrets inside of it. */
import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { newAdminKey } from "./auth/adminKey";
import type { Database } from "./transaction/database";
import { metaKey } from "./transaction/keys";

const ADMIN_KEY_FILE = "admin-key";
const ADDRESS_FILE = "address.json";

/** Where a running server is reached. */
export type Address = { readonly url: string; readonly siteUrl: string };

/** The admin key that is kept in a data folder, or `null` when there is none yet. */
export async function readAdminKey(folder: string): Promise<string | null> {
  return (await readOptional(path.join(folder, ADMIN_KEY_FILE)))?.trim() || null;
}

/** The admin key in force: the given one, else the kept one, else a new one. It is kept for the next start. */
export async function keepAdminKey(
  folder: string,
  given: string | undefined,
  instanceName: string,
): Promise<string> {
  const kept = await readAdminKey(folder);
  const key = given ?? kept ?? newAdminKey(instanceName);
  if (key !== kept) await replaceFile(path.join(folder, ADMIN_KEY_FILE), `${key}\n`);
  return key;
}

/** Where the server that has this folder open is reached, or `null` when none has written it down. */
export async function readAddress(folder: string): Promise<Address | null> {
  const text = await readOptional(path.join(folder, ADDRESS_FILE));
  return text === null ? null : (JSON.parse(text) as Address);
}

export async function writeAddress(folder: string, address: Address): Promise<void> {
  await replaceFile(path.join(folder, ADDRESS_FILE), `${JSON.stringify(address)}\n`);
}

export async function removeAddress(folder: string): Promise<void> {
  await rm(path.join(folder, ADDRESS_FILE), { force: true });
}

const CURSOR_SECRET_KEY = metaKey("cursorSecret");
const CURSOR_SECRET_BYTES = 32;

/** The secret with which cursors are encrypted. It lives as long as the database, and so do cursors. */
export async function cursorSecret(database: Database): Promise<Buffer> {
  const kept = database.get(CURSOR_SECRET_KEY);
  if (kept !== undefined) return Buffer.from(kept, "base64");
  const secret = randomBytes(CURSOR_SECRET_BYTES);
  database.commit([[CURSOR_SECRET_KEY, secret.toString("base64")]]);
  await database.durable();
  return secret;
}

async function readOptional(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return null;
    throw error;
  }
}

/** Writes a file that only its owner may read, in one step: a reader sees the old file or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, file);
}
