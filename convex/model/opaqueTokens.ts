/** Tokens that mean something to the backend alone: a key that names them, and a secret of which only the hash is kept. */
import { randomSecret, sha256 } from "./secrets";

/** What is kept of a token. */
export interface KeptToken {
  key: string;
  hash: string;
}

const KEY_BYTES = 16;

/** A new token, as its bearer gets it and as it is kept. For actions. `key`: that of the token which it follows. */
export async function newToken(
  key: string = randomSecret(KEY_BYTES),
): Promise<{ text: string; kept: KeptToken }> {
  const secret = randomSecret();
  return { text: `${key}.${secret}`, kept: { key, hash: await sha256(secret) } };
}

/** Key and hash of a token as a client sent it; null if it does not look like one. */
export async function readToken(text: string): Promise<KeptToken | null> {
  const [, key, secret] = /^([\w-]{22})\.([\w-]{43})$/.exec(text) ?? [];
  return key === undefined || secret === undefined ? null : { key, hash: await sha256(secret) };
}
