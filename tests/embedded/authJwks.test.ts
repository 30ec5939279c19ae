import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseAuthConfig } from "../../embedded/auth/providers";
import { createTokenVerifier } from "../../embedded/auth/verifyToken";
import {
  NOW,
  answerJson,
  claims,
  dataUrl,
  keySet,
  listen,
  refusal,
  sign,
  signingKey,
  type SigningKey,
} from "./authFixtures";

let oldKey: SigningKey;
let newKey: SigningKey;
let now = NOW * 1000;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  [oldKey, newKey] = await Promise.all([signingKey("ES256", "old"), signingKey("ES256", "new")]);
});

afterEach(async () => {
  now = NOW * 1000;
  await Promise.all(closing.splice(0).map((close) => close()));
});

async function issuer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = await listen(answer);
  closing.push(server.close);
  return server;
}

function verifierFor(jwks: string) {
  const provider = { type: "customJwt", issuer: "https://issuer.test", algorithm: "ES256", jwks };
  return createTokenVerifier(parseAuthConfig({ providers: [provider] }), { now: () => now });
}

/** Long-lived, so that only the keys' age matters in these tests. */
const lasting = (sub: string) => claims({ sub, exp: NOW + 1e6 });

describe("a key set behind a URL", () => {
  test("is fetched once for many tokens, also for those that arrive together", async () => {
    const server = await issuer((_, response) => answerJson(response, keySet(oldKey)));
    const verify = verifierFor(`${server.url}/keys`);
    const tokens = await Promise.all(["a", "b", "c"].map((sub) => sign(oldKey, lasting(sub))));
    const identities = await Promise.all(tokens.map((token) => verify.verify(token)));
    expect(identities.map(({ attributes }) => attributes.subject)).toEqual(["a", "b", "c"]);
    expect(server.paths).toEqual(["/keys"]);
  });

  test("is fetched again for an unknown key id, at most once in 30 seconds", async () => {
    let keys = keySet(oldKey);
    const server = await issuer((_, response) => answerJson(response, keys, "application/jwk-set+json"));
    const verify = verifierFor(server.url);
    await verify.verify(await sign(oldKey, lasting("a")));
    keys = keySet(oldKey, newKey);
    now += 29_000;
    const rotated = await sign(newKey, lasting("b"));
    expect((await refusal(verify.verify(rotated))).message).toContain("'new', does this key match");
    expect(server.paths).toHaveLength(1);
    now += 1_000;
    const madeUp = await Promise.all(["x1", "x2", "x3"].map((kid) => sign(oldKey, claims(), { kid })));
    await Promise.all(madeUp.map((token) => refusal(verify.verify(token))));
    expect(server.paths).toHaveLength(2);
    await expect(verify.verify(rotated)).resolves.toBeDefined();
    expect(server.paths).toHaveLength(2);
  });

  test("is fetched again after five minutes, and a withdrawn key's tokens are refused then", async () => {
    let keys = keySet(oldKey);
    const server = await issuer((_, response) => answerJson(response, keys));
    const verify = verifierFor(server.url);
    const token = await sign(oldKey, lasting("a"));
    await verify.verify(token);
    keys = keySet(newKey);
    now += 5 * 60_000;
    expect((await refusal(verify.verify(token))).code).toBe("InvalidAuthHeader");
    expect(server.paths).toHaveLength(2);
  });

  test("stays in use for an hour while the issuer is down, and not longer", async () => {
    let up = true;
    const server = await issuer((_, response) => {
      if (up) answerJson(response, keySet(oldKey));
      else response.writeHead(503).end();
    });
    const verify = verifierFor(server.url);
    await verify.verify(await sign(oldKey, lasting("a")));
    up = false;
    now += 59 * 60_000;
    await expect(verify.verify(await sign(oldKey, lasting("b")))).resolves.toBeDefined();
    now += 60_000;
    const error = await refusal(verify.verify(await sign(oldKey, lasting("c"))));
    expect(error.message).toContain("HTTP 503 Service Unavailable");
  });

  test("that cannot be had is not asked for again at once", async () => {
    let up = false;
    const server = await issuer((_, response) => {
      if (up) answerJson(response, keySet(oldKey));
      else response.writeHead(500).end();
    });
    const verify = verifierFor(server.url);
    const token = await sign(oldKey, lasting("a"));
    await refusal(verify.verify(token));
    await refusal(verify.verify(token));
    expect(server.paths).toHaveLength(1);
    up = true;
    now += 3_000;
    await expect(verify.verify(token)).resolves.toBeDefined();
  });

  test.each([
    ["another status", 404, "application/json", "HTTP 404 Not Found"],
    ["a created status", 201, "application/json", "HTTP 201 Created"],
    ["a web page", 200, "text/html", "Invalid Content-Type 'text/html'"],
    ["plain text", 200, "text/plain; charset=utf-8", "Invalid Content-Type 'text/plain; charset=utf-8'"],
    ["another charset", 200, "application/json; charset=latin1", "Invalid Content-Type"],
  ])("that answers with %s is refused", async (_, status, type, text) => {
    const server = await issuer((__, response) => {
      response.writeHead(status, { "content-type": type }).end(JSON.stringify(keySet(oldKey)));
    });
    const error = await refusal(verifierFor(server.url).verify(await sign(oldKey, claims())));
    expect(error).toMatchObject({ code: "InvalidAuthHeader", httpStatus: 401 });
    expect(error.message).toContain(text);
  });

  test("may say its charset, and may be moved", async () => {
    const server = await issuer((request, response) => {
      if (request.url === "/moved") answerJson(response, keySet(oldKey), 'Application/JSON; charset="UTF-8"');
      else response.writeHead(302, { location: "/moved" }).end();
    });
    await expect(verifierFor(server.url).verify(await sign(oldKey, claims()))).resolves.toBeDefined();
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["no list of keys", `{"keys": {}}`],
    ["a key that is no object", `{"keys": [null]}`],
    ["more than a megabyte", `{"keys": [], "filler": "${"x".repeat(1024 * 1024)}"}`],
  ])("that is %s is refused", async (_, body) => {
    const server = await issuer((__, response) => {
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    const error = await refusal(verifierFor(server.url).verify(await sign(oldKey, claims())));
    expect(error.message).toContain(`Invalid JWKS response body from '${server.url}'`);
  });

  test("on a server that is not there is refused with the reason", async () => {
    const server = await listen(() => undefined);
    await server.close();
    const error = await refusal(verifierFor(server.url).verify(await sign(oldKey, claims())));
    expect(error.message).toContain(`Could not fetch JWKS from URL '${server.url}': ECONNREFUSED.`);
  });
});

describe("a key set in a data: URL", () => {
  test("may be base64 or percent-encoded and of any type", async () => {
    const token = await sign(oldKey, claims());
    const text = JSON.stringify(keySet(oldKey));
    const urls = [
      dataUrl(keySet(oldKey)),
      `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`,
      `data:,${encodeURIComponent(text)}#fragment`,
    ];
    for (const url of urls) await expect(verifierFor(url).verify(token)).resolves.toBeDefined();
  });

  test("that is broken is refused without repeating it", async () => {
    const token = await sign(oldKey, claims());
    const broken = await refusal(verifierFor("data:application/json;base64,@@@").verify(token));
    expect(broken.message).toContain("Invalid JWKS data URL.");
    const noKeys = await refusal(verifierFor("data:,hello").verify(token));
    expect(noKeys.message).toContain("Invalid JWKS response body from 'data:...'");
  });
});
