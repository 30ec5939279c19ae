import type { ServerResponse } from "node:http";
import type { JWTPayload } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseAuthConfig } from "../../embedded/auth/providers";
import { createTokenVerifier } from "../../embedded/auth/verifyToken";
import {
  NOW,
  answerJson,
  claims,
  keySet,
  listen,
  refusal,
  sign,
  signingKey,
  type SigningKey,
} from "./authFixtures";

let rsa: SigningKey;
let ed: SigningKey;
let ec: SigningKey;
let server: Awaited<ReturnType<typeof listen>>;
let keys: SigningKey[];
let answerDiscovery: (response: ServerResponse) => void;

beforeAll(async () => {
  [rsa, ed, ec] = await Promise.all([
    signingKey("RS256", "rsa"),
    signingKey("EdDSA", "ed"),
    signingKey("ES256", "ec"),
  ]);
  server = await listen((request, response) => {
    if (request.url === "/.well-known/openid-configuration") answerDiscovery(response);
    else answerJson(response, keySet(...keys));
  });
});
afterAll(() => server.close());

beforeEach(() => {
  keys = [rsa, ed, ec];
  server.paths.length = 0;
  answerDiscovery = (response) => {
    answerJson(response, { issuer: server.url, jwks_uri: `${server.url}/keys` });
  };
});

function verifier(now: () => number = () => NOW * 1000) {
  const provider = { domain: `${server.url}/`, applicationID: "app" };
  return createTokenVerifier(parseAuthConfig({ providers: [provider] }), { now });
}

const idToken = (changes: JWTPayload = {}) => claims({ iss: server.url, aud: "app", ...changes });

const verify = async (changes: JWTPayload, key = rsa, header: object = {}) =>
  verifier().verify(await sign(key, idToken(changes), header));

const unverified = {
  code: "Unauthenticated",
  httpStatus: 401,
  message:
    "Could not verify OIDC token claim. Check that the token signature is valid and the token hasn't expired.",
};

describe("an OIDC token", () => {
  test("signed with RS256 or EdDSA is accepted, after one discovery", async () => {
    const oidc = verifier();
    for (const key of [rsa, ed]) {
      const { attributes, expiresAtMs } = await oidc.verify(await sign(key, idToken()));
      expect(attributes).toEqual({
        tokenIdentifier: `${server.url}|alice`,
        issuer: server.url,
        subject: "alice",
      });
      expect(expiresAtMs).toBe((NOW + 300) * 1000);
    }
    expect(server.paths).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  test("signed with ES256 is refused", async () => {
    expect(await refusal(verify({}, ec))).toMatchObject(unverified);
  });

  test("without a key id is accepted if only one key fits", async () => {
    await expect(verify({}, rsa, { kid: undefined })).resolves.toBeDefined();
    keys = [rsa, await signingKey("RS256", "rsa-2")];
    expect(await refusal(verify({}, rsa, { kid: undefined }))).toMatchObject(unverified);
  });

  test("has the application as its only audience", async () => {
    await expect(verify({ aud: ["app"] })).resolves.toBeDefined();
    expect(await refusal(verify({ aud: ["app", "other"] }))).toMatchObject(unverified);
    for (const aud of ["other", undefined]) {
      const error = await refusal(verify({ aud } as JWTPayload));
      expect(error.code).toBe("NoAuthProvider");
      expect(error.message).toContain(`OIDC(domain=${server.url}/, app_id=app)`);
    }
  });

  test("is refused from the second of its expiry on", async () => {
    const token = await sign(rsa, idToken());
    await expect(verifier(() => (NOW + 300) * 1000 - 1).verify(token)).resolves.toBeDefined();
    expect(await refusal(verifier(() => (NOW + 300) * 1000).verify(token))).toMatchObject(unverified);
  });

  test.each([
    ["typ", "at+jwt"],
    ["cty", "JWT"],
    ["typ", 7],
  ])("with the header %s %j is refused", async (name, value) => {
    expect(await refusal(verify({}, rsa, { [name]: value }))).toMatchObject(unverified);
  });

  test("of the type JWT is accepted in any case", async () => {
    for (const typ of ["JWT", "jwt", "application/jwt"]) {
      await expect(verify({}, rsa, { typ })).resolves.toBeDefined();
    }
  });

  test.each([
    { sub: undefined },
    { exp: undefined },
    { iat: undefined },
    { email: 7 },
    { email_verified: "yes" },
  ])("that is none because of %j is refused", async (changes) => {
    const error = await refusal(verify(changes as JWTPayload));
    expect(error).toMatchObject({ code: "InvalidAuthHeader", httpStatus: 401 });
    expect(error.message).toContain("Could not parse as OIDC ID token.");
  });

  test("has standard claims under Convex's names and others under their own", async () => {
    const { attributes } = await verify({
      name: "Alice A",
      "name#fr": "Alice Á",
      given_name: "Alice",
      family_name: "A",
      middle_name: "B",
      nickname: "al",
      preferred_username: "alice",
      profile: "https://a.test/p",
      picture: "https://a.test/i",
      website: "https://a.test",
      email: "alice@example.com",
      email_verified: true,
      gender: "female",
      birthdate: "2000-01-01",
      zoneinfo: "Europe/Paris",
      locale: "fr",
      phone_number: "+33",
      phone_number_verified: false,
      address: { formatted: "1 rue", country: "FR" },
      updated_at: NOW,
      nonce: "n",
      azp: "app",
      at_hash: "h",
      jti: "j",
      nbf: NOW,
      fva: [1],
      auth_time: NOW,
      org_id: "org_1",
      meta: { nested: [1, null] },
    });
    expect(attributes).toEqual({
      tokenIdentifier: `${server.url}|alice`,
      issuer: server.url,
      subject: "alice",
      name: "Alice A",
      givenName: "Alice",
      familyName: "A",
      nickname: "al",
      preferredUsername: "alice",
      profileUrl: "https://a.test/p",
      pictureUrl: "https://a.test/i",
      websiteUrl: "https://a.test",
      email: "alice@example.com",
      emailVerified: true,
      gender: "female",
      birthday: "2000-01-01",
      timezone: "Europe/Paris",
      language: "fr",
      phoneNumber: "+33",
      phoneNumberVerified: false,
      address: "1 rue",
      updatedAt: "2026-01-01T00:00:00+00:00",
      org_id: "org_1",
      meta: { nested: [1, null] },
    });
  });
});

describe("OIDC discovery", () => {
  test.each([
    [401, 401],
    [404, 404],
    [429, 429],
    [418, 400],
    [502, 503],
  ])("that answers %i makes the request fail with %i", async (status, expected) => {
    answerDiscovery = (response) => response.writeHead(status).end("secret body");
    const error = await refusal(verify({}));
    expect(error).toMatchObject({ code: "AuthProviderDiscoveryFailed", httpStatus: expected });
    expect(error.message).toContain(`Auth provider discovery of ${server.url} failed: ${status}`);
    expect(error.message).not.toContain("secret");
  });

  test("needs a document of the token's issuer with the place of its keys", async () => {
    const documents = [
      { issuer: "https://other.test", jwks_uri: `${server.url}/keys` },
      { issuer: server.url },
      { issuer: server.url, jwks_uri: "file:///etc/passwd" },
      [],
    ];
    for (const document of documents) {
      answerDiscovery = (response) => answerJson(response, document);
      expect(await refusal(verify({}))).toMatchObject({
        code: "AuthProviderDiscoveryFailed",
        httpStatus: 400,
      });
    }
  });
});
