import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadDevelopmentIssuer, userIdForEmail } from "../../embedded/auth/developmentIssuer";
import { parseAuthConfig } from "../../embedded/auth/providers";
import { createTokenVerifier } from "../../embedded/auth/verifyToken";
import { NOW } from "./authFixtures";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "development-issuer-"));
});
afterAll(() => rm(root, { recursive: true }));

const keyFile = (folder: string) => join(folder, "development-issuer.json");
const subject = userIdForEmail("host@example.com");

describe("the development issuer", () => {
  test("makes a key at first start that the owner alone can read, and keeps it", async () => {
    const folder = join(root, "not", "yet", "there");
    const first = await loadDevelopmentIssuer(folder);
    expect((await stat(keyFile(folder))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["development-issuer.json"]);
    const second = await loadDevelopmentIssuer(folder);
    expect(second.environment).toEqual(first.environment);
  });

  test("agrees on one key when two processes start at once", async () => {
    const folder = join(root, "twice");
    const [one, two] = await Promise.all([loadDevelopmentIssuer(folder), loadDevelopmentIssuer(folder)]);
    expect(one?.environment).toEqual(two?.environment);
    expect(await readdir(folder)).toEqual(["development-issuer.json"]);
  });

  test("publishes the public half of its key and nothing of the private one", async () => {
    const { environment } = await loadDevelopmentIssuer(join(root, "shared"));
    expect(environment.WORKOS_CLIENT_ID).toBe("client_development");
    const [, encoded = ""] = environment.WORKOS_JWKS_URL.split("data:application/json;base64,");
    const { keys } = JSON.parse(Buffer.from(encoded, "base64").toString()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([["alg", "e", "kid", "kty", "n", "use"]]);
  });

  test("signs tokens of WorkOS's shape", async () => {
    const issuer = await loadDevelopmentIssuer(join(root, "shared"));
    const token = await issuer.sign({
      subject,
      email: "host@example.com",
      organizationId: "org_1",
      role: "admin",
      nowMs: NOW * 1000 + 999,
    });
    expect(decodeProtectedHeader(token)).toEqual({ alg: "RS256", kid: expect.any(String) as string });
    expect(decodeJwt(token)).toEqual({
      iss: "https://api.workos.com/user_management/client_development",
      sub: subject,
      sid: expect.stringMatching(/^session_[0-9A-Z]{26}$/) as string,
      jti: expect.stringMatching(/^[0-9A-Z]{26}$/) as string,
      iat: NOW,
      exp: NOW + 300,
      email: "host@example.com",
      org_id: "org_1",
      role: "admin",
    });
    const bare = decodeJwt(await issuer.sign({ subject, issuerForm: "api", expiresInSeconds: 60, nowMs: 0 }));
    expect(bare).toMatchObject({ iss: "https://api.workos.com", iat: 0, exp: 60 });
    expect(Object.keys(bare).toSorted()).toEqual(["exp", "iat", "iss", "jti", "sid", "sub"]);
  });

  test("signs tokens that an app with its environment accepts, in both issuer forms", async () => {
    const issuer = await loadDevelopmentIssuer(join(root, "shared"));
    const { WORKOS_CLIENT_ID, WORKOS_JWKS_URL } = issuer.environment;
    const provider = { type: "customJwt", algorithm: "RS256", jwks: WORKOS_JWKS_URL };
    const verifier = createTokenVerifier(
      parseAuthConfig({
        providers: [
          { ...provider, issuer: `https://api.workos.com/user_management/${WORKOS_CLIENT_ID}` },
          { ...provider, issuer: "api.workos.com" },
        ],
      }),
    );
    for (const issuerForm of ["api", "client"] as const) {
      const { attributes } = await verifier.verify(await issuer.sign({ subject, issuerForm }));
      expect(attributes.subject).toBe(subject);
    }
  });

  test.each([
    ["is no JSON", `{"privateKey": {"d": "SECRET`, "it is not JSON"],
    ["is empty", "", "it is not JSON"],
    ["holds no key", "null", "it holds no RSA key"],
    [
      "holds a public key",
      `{"privateKey": {"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB"}}`,
      "it holds no private key",
    ],
  ])("names a key file that %s in one line and leaves it alone", async (_, text, reason) => {
    const folder = await mkdtemp(join(root, "garbled-"));
    await writeFile(keyFile(folder), text);
    const error: unknown = await loadDevelopmentIssuer(folder).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(message).toContain(`key file ${keyFile(folder)} cannot be used: ${reason}`);
    expect(message).not.toMatch(/\n|SECRET/);
    expect(await readFile(keyFile(folder), "utf8")).toBe(text);
  });
});

describe("the user id of an e-mail address", () => {
  test("is always the same, whatever the case, and of WorkOS's shape", () => {
    expect(subject).toMatch(/^user_[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(userIdForEmail(" Host@Example.com ")).toBe(subject);
    expect(userIdForEmail("guest@example.com")).not.toBe(subject);
  });
});
