import { createHmac } from "node:crypto";
import { exportSPKI, importJWK, type JWTPayload } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { parseAuthConfig } from "../../embedded/auth/providers";
import { RecentMap } from "../../embedded/values/recentMap";
import { createTokenVerifier } from "../../embedded/auth/verifyToken";
import { NOW, claims, dataUrl, keySet, refusal, sign, signingKey, type SigningKey } from "./authFixtures";

let rsa: SigningKey;
let ec: SigningKey;

beforeAll(async () => {
  [rsa, ec] = await Promise.all([signingKey("RS256", "rsa-1"), signingKey("ES256", "ec-1")]);
});

interface Provider {
  readonly issuer?: string;
  readonly applicationID?: string;
  readonly algorithm?: string;
  readonly jwks?: string;
}

/** A verifier at the time NOW; providers are custom JWT ones with both keys unless said otherwise. */
function verifier(providers: Provider[] = [{}], now: () => number = () => NOW * 1000) {
  const written = providers.map((provider) => ({
    type: "customJwt",
    issuer: "https://issuer.test",
    algorithm: "RS256",
    jwks: dataUrl(keySet(rsa, ec)),
    ...provider,
  }));
  return createTokenVerifier(parseAuthConfig({ providers: written }), { now });
}

const accepts = async (providers: Provider[], payload: JWTPayload) =>
  (await verifier(providers).verify(await sign(rsa, payload))).attributes;

const refuses = async (providers: Provider[], payload: JWTPayload) =>
  refusal(verifier(providers).verify(await sign(rsa, payload)));

const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString("base64url");

describe("a custom JWT", () => {
  test("signed with RS256 is accepted and gives identity and expiry", async () => {
    const identity = await verifier().verify(await sign(rsa, claims()));
    expect(identity).toEqual({
      attributes: {
        tokenIdentifier: "https://issuer.test|alice",
        issuer: "https://issuer.test",
        subject: "alice",
      },
      expiresAtMs: (NOW + 300) * 1000,
    });
  });

  test("signed with ES256 is accepted by a provider of that algorithm only", async () => {
    const token = await sign(ec, claims());
    const identity = await verifier([{ algorithm: "ES256" }]).verify(token);
    expect(identity.attributes.subject).toBe("alice");
    expect(await refusal(verifier().verify(token))).toMatchObject({
      code: "InvalidAuthHeader",
      httpStatus: 401,
    });
  });

  test.each([
    ["https://issuer.test", "https://issuer.test/"],
    ["https://issuer.test//", "https://issuer.test"],
    ["issuer.test", "https://issuer.test"],
    ["https://issuer.test", "issuer.test/"],
    ["http://issuer.test", "http://issuer.test"],
  ])("is matched when %s is configured and %s is in the token", async (configured, inToken) => {
    const identity = await accepts([{ issuer: configured }], claims({ iss: inToken }));
    expect(identity).toMatchObject({ issuer: inToken, tokenIdentifier: `${inToken}|alice` });
  });

  test.each([
    "http://issuer.test",
    "https://issuer.test.evil.test",
    "https://issuer.test/x",
    "ISSUER.TEST",
    "",
  ])("of the foreign issuer %j finds no provider", async (iss) => {
    const error = await refuses([{}], claims({ iss }));
    expect(error).toMatchObject({ code: "NoAuthProvider", httpStatus: 401 });
    expect(error.message).toBe(
      "No auth provider found matching the given token. Check that your JWT's issuer and audience match one " +
        "of your configured providers: [CustomJWT(issuer=https://issuer.test, app_id=none)]",
    );
  });

  test("needs the audience if the provider names one", async () => {
    const provider = [{ applicationID: "app" }];
    await expect(accepts(provider, claims({ aud: "app" }))).resolves.toMatchObject({ subject: "alice" });
    await expect(accepts(provider, claims({ aud: ["x", "app"] }))).resolves.toBeDefined();
    expect((await refuses(provider, claims())).code).toBe("NoAuthProvider");
    expect((await refuses(provider, claims({ aud: "other" }))).code).toBe("NoAuthProvider");
    expect((await refuses(provider, claims({ aud: [] }))).code).toBe("NoAuthProvider");
  });

  test("may have any audience if the provider names none", async () => {
    await expect(accepts([{}], claims({ aud: "whatever" }))).resolves.toBeDefined();
  });

  test("is checked with the first provider that matches and no other", async () => {
    const other = dataUrl(keySet(await signingKey("RS256", "rsa-1")));
    expect((await refuses([{ jwks: other }, {}], claims())).code).toBe("InvalidAuthHeader");
    await expect(accepts([{ applicationID: "x", jwks: other }, {}], claims())).resolves.toBeDefined();
  });

  test("of WorkOS's shared issuer without audience needs a provider without application id", async () => {
    const client = { issuer: "https://api.workos.com/user_management/client_1" };
    const shared = { issuer: "https://api.workos.com/", applicationID: "client_1" };
    const token = claims({ iss: "https://api.workos.com" });
    expect((await refuses([shared, client], token)).code).toBe("NoAuthProvider");
    // Without a scheme the issuer passes Convex's check of the configuration, and means the same.
    const open = { issuer: "api.workos.com" };
    await expect(accepts([shared, client, open], token)).resolves.toBeDefined();
    await expect(accepts([shared, client], claims({ iss: client.issuer }))).resolves.toBeDefined();
  });

  test("is refused by a deployment without providers", async () => {
    const error = await refuses([], claims());
    expect(error.code).toBe("NoAuthProvider");
    expect(error.message).toContain("(no providers configured). Check convex/auth.config.ts.");
  });
});

describe("the times of a custom JWT", () => {
  const at = (seconds: number, payload: JWTPayload) => async () =>
    verifier([{}], () => seconds * 1000 + 999).verify(await sign(rsa, payload));

  test("allow five seconds after the expiry and no more", async () => {
    await expect(at(NOW + 305, claims())()).resolves.toBeDefined();
    const error = await refusal(at(NOW + 306, claims())());
    expect(error).toMatchObject({ code: "InvalidAuthHeader", httpStatus: 401 });
    expect(error.message).toBe("Could not validate token: Token expired 6 seconds ago");
  });

  test("allow five seconds before nbf and iat and no more", async () => {
    for (const claim of ["nbf", "iat"]) {
      await expect(at(NOW, claims({ [claim]: NOW + 5 }))()).resolves.toBeDefined();
      const error = await refusal(at(NOW, claims({ [claim]: NOW + 6 }))());
      expect(error.message).toBe("Could not validate token: Token will be valid in 6 seconds");
    }
  });

  test("may have fractions", async () => {
    const identity = await at(NOW, claims({ exp: NOW + 1.4 }))();
    expect(identity.expiresAtMs).toBe((NOW + 1) * 1000);
  });

  test.each([["exp"], ["sub"]])("and the owner are needed: without %s it is refused", async (claim) => {
    const error = await refuses([{}], claims({ [claim]: undefined }));
    expect(error).toMatchObject({ code: "InvalidAuthHeader", httpStatus: 401 });
    expect(error.message).toContain("Could not verify token claim.");
  });

  test.each([
    { exp: "soon" },
    { exp: -1 },
    { exp: 1e300 },
    { nbf: true },
    { sub: 7 },
    { iss: {} },
    { aud: [1] },
    { aud: {} },
    { jti: 1 },
  ])("and other registered claims must have the right type, which %j has not", async (wrong) => {
    const error = await refuses([{}], claims(wrong as unknown as JWTPayload));
    expect(error.code).toBe("InvalidAuthHeader");
    expect(error.message).toContain("Could not parse JWT payload.");
  });
});

describe("a forged or broken token", () => {
  test("without a key id is refused", async () => {
    const error = await refusal(verifier().verify(await sign(rsa, claims(), { kid: undefined })));
    expect(error).toMatchObject({ code: "InvalidAuthHeader", httpStatus: 401 });
    expect(error.message).toBe("Could not decode token. JWT may be missing a 'kid' (key ID) header.");
  });

  test("with an unknown key id is refused, naming the id if it looks like one", async () => {
    const named = await refusal(verifier().verify(await sign(rsa, claims(), { kid: "rsa-2" })));
    expect(named.message).toContain("header is 'rsa-2', does this key match any key");
    const hostile = await refusal(verifier().verify(await sign(rsa, claims(), { kid: "<b>\n" })));
    expect(hostile.message).toContain("header doesn't match any key");
  });

  test("with the key id of another algorithm's key is refused", async () => {
    const error = await refusal(verifier().verify(await sign(rsa, claims(), { kid: "ec-1" })));
    expect(error.code).toBe("InvalidAuthHeader");
  });

  test("that is not signed is refused", async () => {
    for (const alg of ["none", "None", "NONE"]) {
      const token = `${encode({ alg, kid: "rsa-1" })}.${encode(claims())}.`;
      expect((await refusal(verifier().verify(token))).code).toBe("InvalidAuthHeader");
    }
  });

  test("signed by HMAC with the public key as the secret is refused", async () => {
    const publicKey = await importJWK(rsa.publicJwk, "RS256", { extractable: true });
    const pem = await exportSPKI(publicKey as CryptoKey);
    const body = `${encode({ alg: "HS256", typ: "JWT", kid: "rsa-1" })}.${encode(claims())}`;
    for (const secret of [pem, pem.trim(), JSON.stringify(rsa.publicJwk)]) {
      const mac = createHmac("sha256", secret).update(body).digest("base64url");
      expect((await refusal(verifier().verify(`${body}.${mac}`))).code).toBe("InvalidAuthHeader");
    }
  });

  test("that brings its own key is refused", async () => {
    const own = await signingKey("RS256", "rsa-1");
    const token = await sign(own, claims(), { jwk: own.publicJwk, jku: "http://127.0.0.1:9/" } as object);
    expect((await refusal(verifier().verify(token))).code).toBe("InvalidAuthHeader");
  });

  test("with a critical header extension is refused, though its signature is right", async () => {
    const token = await sign(rsa, claims(), { crit: ["b64"], b64: true } as object);
    expect((await refusal(verifier().verify(token))).code).toBe("InvalidAuthHeader");
  });

  test("with a changed payload, header or signature is refused", async () => {
    const [header = "", payload = "", signature = ""] = (await sign(rsa, claims())).split(".");
    const changed = [
      `${header}.${encode(claims({ sub: "mallory" }))}.${signature}`,
      `${encode({ alg: "RS256", kid: "rsa-1", extra: 1 })}.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature}.`,
      `${header}.${payload}.${signature}\n`,
      `.${payload}.${signature}`,
    ];
    for (const token of changed) {
      expect(await refusal(verifier().verify(token))).toMatchObject({
        code: "InvalidAuthHeader",
        httpStatus: 401,
      });
    }
  });

  test("cut off anywhere is refused", async () => {
    const token = await sign(rsa, claims());
    const verify = verifier();
    for (let length = 0; length < token.length - 1; length += 37) {
      expect((await refusal(verify.verify(token.slice(0, length)))).httpStatus).toBe(401);
    }
  });

  test.each([
    ["nothing", ""],
    ["a word", "garbage"],
    ["three letters", "a.b.c"],
    ["dots", "..."],
    ["no characters", "\u0000.\uffff.\ud800"],
    ["a list of claims", `e30.${encode([1])}.x`],
    ["bytes that are not UTF-8", `e30.${Buffer.from([0x7b, 0xff, 0x7d]).toString("base64url")}.x`],
    ["no claims", "e30.e30.e30"],
    ["very many dots", ".".repeat(60_000)],
  ])("that is %s is refused with a status that says so", async (_, token) => {
    const error = await refusal(verifier().verify(token));
    expect(error).toMatchObject({ code: "InvalidAuthHeader", httpStatus: 401 });
  });

  test("of a megabyte is refused without being looked at, though its signature is right", async () => {
    const token = await sign(rsa, claims({ filler: "x".repeat(1024 * 1024) }));
    expect((await refusal(verifier().verify(token))).message).toContain("Could not parse JWT payload.");
  });

  test("with an issuer of many slashes costs no time worth naming", async () => {
    const token = `e30.${encode({ iss: `https://${"/".repeat(40_000)}x` })}.x`;
    const start = performance.now();
    expect((await refusal(verifier().verify(token))).code).toBe("NoAuthProvider");
    expect(performance.now() - start).toBeLessThan(500);
  });

  test("never shows up in a message, in a production deployment not even the configuration does", async () => {
    const subject = "secret-subject";
    const token = await sign(rsa, claims({ sub: subject, iss: "https://other.test" }));
    const error = await refusal(verifier().verify(token));
    expect(`${error.message} ${String(error.cause)}`).not.toContain(subject);
    expect(error.message).not.toContain(token.slice(0, 20));
    const providers = parseAuthConfig({ providers: [{ domain: "a.test", applicationID: "app-1" }] });
    const production = createTokenVerifier(providers, { redactErrors: true });
    expect((await refusal(production.verify(token))).message).toBe(
      "No auth provider found matching the given token",
    );
  });
});

describe("the identity of a custom JWT", () => {
  test("has every other claim under its own name, nested objects as dotted names", async () => {
    const identity = await accepts(
      [{}],
      claims({
        aud: "app",
        jti: "id",
        nbf: NOW,
        fva: [0, 1],
        email: "alice@example.com",
        email_verified: true,
        given_name: "Alice",
        org_id: "org_1",
        level: 7.5,
        nothing: null,
        roles: ["admin", { nested: { stays: true } }],
        act: { sub: "user_2", deep: { deeper: [1], empty: {} } },
      }),
    );
    expect(identity).toEqual({
      tokenIdentifier: "https://issuer.test|alice",
      issuer: "https://issuer.test",
      subject: "alice",
      email: "alice@example.com",
      email_verified: true,
      given_name: "Alice",
      org_id: "org_1",
      level: 7.5,
      nothing: null,
      roles: ["admin", { nested: { stays: true } }],
      "act.sub": "user_2",
      "act.deep.deeper": [1],
    });
  });

  test("cannot be replaced by claims that are named like its parts", async () => {
    const payload = claims({ tokenIdentifier: "https://issuer.test|root", subject: "root", issuer: "x" });
    const identity = await accepts([{}], payload);
    expect(identity).toEqual({
      tokenIdentifier: "https://issuer.test|alice",
      issuer: "https://issuer.test",
      subject: "alice",
    });
  });

  test("takes a claim named __proto__ as a name like any other", async () => {
    const payload = JSON.parse(`{"__proto__": ["x"], "a": 1}`) as JWTPayload;
    const identity = await accepts([{}], Object.assign(payload, claims()));
    expect(Object.getPrototypeOf(identity)).toBe(Object.prototype);
    expect(Object.keys(identity)).toContain("a");
  });

  test("is frozen, since requests share it", async () => {
    const identity = await accepts([{}], claims({ roles: ["a"] }));
    expect(Object.isFrozen(identity)).toBe(true);
    expect(Object.isFrozen(identity["roles"])).toBe(true);
  });
});

describe("a verified token", () => {
  test("is remembered: later verifications give the same identity, also without waiting", async () => {
    const verify = verifier();
    const token = await sign(rsa, claims());
    expect(verify.peek(token)).toBeUndefined();
    const [first, second] = await Promise.all([verify.verify(token), verify.verify(token)]);
    expect(second).toBe(first);
    expect(verify.peek(token)).toBe(first);
    expect(await verify.verify(token)).toBe(first);
  });

  test("vouches for no other that ends like it", async () => {
    const verify = verifier();
    const token = await sign(rsa, claims());
    await verify.verify(token);
    const [header = "", , signature = ""] = token.split(".");
    const forged = `${header}.${encode(claims({ sub: "mallory" }))}.${signature}`;
    expect(verify.peek(forged)).toBeUndefined();
    expect((await refusal(verify.verify(forged))).httpStatus).toBe(401);
    expect(verify.peek(token)).toBeDefined();
  });

  test("is refused once it has expired, after the same leeway", async () => {
    let now = NOW * 1000;
    const verify = verifier([{}], () => now);
    const token = await sign(rsa, claims({ exp: NOW + 10 }));
    await verify.verify(token);
    now = (NOW + 15) * 1000 + 999;
    expect(verify.peek(token)).toBeDefined();
    now += 1;
    expect(verify.peek(token)).toBeUndefined();
    expect((await refusal(verify.verify(token))).message).toContain("Token expired 6 seconds ago");
  });

  test("is verified anew after some minutes", async () => {
    let now = NOW * 1000;
    const verify = verifier([{}], () => now);
    const token = await sign(rsa, claims({ exp: NOW + 86_400 }));
    const first = await verify.verify(token);
    now += 5 * 60_000;
    expect(verify.peek(token)).toBeUndefined();
    expect(await verify.verify(token)).toEqual(first);
  });

  test("that was refused is not remembered", async () => {
    let now = (NOW - 100) * 1000;
    const verify = verifier([{}], () => now);
    const token = await sign(rsa, claims());
    await refusal(verify.verify(token));
    now = NOW * 1000;
    await expect(verify.verify(token)).resolves.toBeDefined();
  });
});

test("the memory of verified tokens is bounded and keeps what is in use", () => {
  const map = new RecentMap<string, number>(8);
  map.set("used", -1);
  for (let i = 0; i < 100; i += 1) {
    map.set(`token ${i}`, i);
    expect(map.get("used")).toBe(-1);
  }
  const kept = Array.from({ length: 100 }, (_, i) => map.get(`token ${i}`)).filter((i) => i !== undefined);
  expect(kept.length).toBeLessThan(8);
  expect(kept).toContain(99);
  map.delete("used");
  expect(map.get("used")).toBeUndefined();
});
