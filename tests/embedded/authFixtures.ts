import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey, type JWK, type JWTPayload } from "jose";
import { AuthError } from "../../embedded/auth/authError";

/** 2026-01-01T00:00:00Z in seconds: the present in these tests. */
export const NOW = 1_767_225_600;

export type Algorithm = "RS256" | "ES256" | "EdDSA";

/** A signing key of an issuer and its public half as it stands in a key set. */
export interface SigningKey {
  readonly algorithm: Algorithm;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function signingKey(algorithm: Algorithm, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
  return { algorithm, privateKey, publicJwk };
}

/** Claims of a valid token of `https://issuer.test`; `undefined` takes one away. */
export function claims(changes: JWTPayload = {}): JWTPayload {
  return { iss: "https://issuer.test", sub: "alice", iat: NOW, exp: NOW + 300, ...changes };
}

/** @param header `undefined` takes a member away */
export function sign(key: SigningKey, payload: JWTPayload, header: { kid?: unknown } = {}): Promise<string> {
  const whole = { alg: key.algorithm, kid: key.publicJwk.kid, ...header };
  return new SignJWT(payload)
    .setProtectedHeader(JSON.parse(JSON.stringify(whole)) as { alg: string })
    .sign(key.privateKey);
}

export function keySet(...keys: SigningKey[]): { keys: JWK[] } {
  return { keys: keys.map((key) => key.publicJwk) };
}

export function dataUrl(document: unknown): string {
  return `data:application/json;base64,${Buffer.from(JSON.stringify(document)).toString("base64")}`;
}

/** The AuthError with which a promise is rejected. */
export async function refusal(promise: Promise<unknown>): Promise<AuthError> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof AuthError) return outcome;
  throw new Error("expected an AuthError", { cause: outcome });
}

/** The AuthError that a function throws. */
export function thrown(action: () => unknown): Promise<AuthError> {
  return refusal(Promise.resolve().then(action));
}

/** A real HTTP server on a free port, with its requests' paths; closed by `close`. */
export async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, paths, close };
}

export function answerJson(response: ServerResponse, document: unknown, type = "application/json"): void {
  response.writeHead(200, { "content-type": type }).end(JSON.stringify(document));
}
