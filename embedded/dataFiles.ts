/** The small files beside the database, and the secrets inside of it. */
import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { isUsableAdminKey, newAdminKey } from "./auth/adminKey";
import type { Database } from "./transaction/database";
import { replaceFile } from "./storage/durableFiles";
import { metaKey } from "./transaction/keys";

const ADMIN_KEY_FILE = "admin-key";
const ADDRESS_FILE = "address.json";

/** An admin key can't be used. The message is one line for the user; nothing was written. */
export class AdminKeyError extends Error {
  override readonly name = "AdminKeyError";
}

/** Where a running server is reached. */
export type Address = { readonly url: string; readonly siteUrl: string };

/** The admin key that is kept in a data folder, or `null` when there is none yet. */
export async function readAdminKey(folder: string): Promise<string | null> {
  const file = path.join(folder, ADMIN_KEY_FILE);
  const key = (await readOptional(file))?.trim() ?? null;
  if (key === null || isUsableAdminKey(key)) return key;
  throw new AdminKeyError(
    `${file} holds no usable admin key: restore it, or move it away to have a new key made.`,
  );
}

/** The admin key in force: the given one, else the kept one, else a new one. It is kept for the next start. */
export async function keepAdminKey(
  folder: string,
  given: string | undefined,
  instanceName: string,
): Promise<string> {
  if (given !== undefined && !isUsableAdminKey(given)) {
    throw new AdminKeyError(
      "The admin key given can't be used: choose printable ASCII without spaces and colons.",
    );
  }
  const kept = await readAdminKey(folder);
  const key = given ?? kept ?? newAdminKey(instanceName);
  if (key !== kept) await replaceFile(path.join(folder, ADMIN_KEY_FILE), `${key}\n`);
  return key;
}

/** Where the server that has this folder open is reached, or `null` when none has written it down. */
export async function readAddress(folder: string): Promise<Address | null> {
  const text = await readOptional(path.join(folder, ADDRESS_FILE));
  try {
    return text === null ? null : (JSON.parse(text) as Address);
  } catch {
    // Whoever wrote this is not a server that runs.
    return null;
  }
}

export async function writeAddress(folder: string, address: Address): Promise<void> {
  await replaceFile(path.join(folder, ADDRESS_FILE), `${JSON.stringify(address)}\n`);
}

export async function removeAddress(folder: string): Promise<void> {
  await rm(path.join(folder, ADDRESS_FILE), { force: true });
}

const SECRET_BYTES = 32;

/** A secret that lives as long as the database: what was encrypted or signed with it stays good across restarts. */
export async function keepSecret(database: Database, name: "cursorSecret" | "uploadSecret"): Promise<Buffer> {
  const kept = database.get(metaKey(name));
  if (kept !== undefined) return Buffer.from(kept, "base64");
  const secret = randomBytes(SECRET_BYTES);
  database.commit([[metaKey(name), secret.toString("base64")]]);
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
