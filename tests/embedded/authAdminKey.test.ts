import { describe, expect, test } from "vitest";
import { isAdminKey, newAdminKey, parseAuthorization } from "../../embedded/auth/adminKey";
import { thrown } from "./authFixtures";

const encode = (identity: unknown) => Buffer.from(JSON.stringify(identity)).toString("base64");

describe("an Authorization header", () => {
  test("that is absent means no credentials, or the admin key of the URL", () => {
    expect(parseAuthorization(undefined)).toEqual({ kind: "none" });
    expect(parseAuthorization(undefined, "a|1")).toEqual({ kind: "admin", key: "a|1" });
    expect(parseAuthorization("Bearer t", "a|1")).toEqual({ kind: "user", token: "t" });
  });

  test("brings a user's token or an admin key, whatever the case of the scheme", () => {
    expect(parseAuthorization("Bearer a.b.c")).toEqual({ kind: "user", token: "a.b.c" });
    expect(parseAuthorization("bEARER  a.b.c ")).toEqual({ kind: "user", token: "a.b.c" });
    expect(parseAuthorization("Convex name|1f")).toEqual({ kind: "admin", key: "name|1f" });
    expect(parseAuthorization("convex 0135d859")).toEqual({ kind: "admin", key: "0135d859" });
  });

  test("may have the kind of deployment in front of the admin key", () => {
    for (const kind of ["prod", "dev"]) {
      expect(parseAuthorization(`Convex ${kind}:name|1f`)).toEqual({ kind: "admin", key: "name|1f" });
    }
  });

  test("may say as whom the admin acts", () => {
    const identity = {
      issuer: "https://issuer.test",
      subject: "alice",
      name: "Alice",
      nickname: null,
      extra: [1],
    };
    const actingAs = {
      tokenIdentifier: "https://issuer.test|alice",
      issuer: "https://issuer.test",
      subject: "alice",
      name: "Alice",
      extra: [1],
    };
    for (const key of ["name|1f", "prod:name|1f"]) {
      expect(parseAuthorization(`Convex ${key}:${encode(identity)}`)).toEqual({
        kind: "admin",
        key: "name|1f",
        actingAs,
      });
    }
    expect(parseAuthorization(`Convex k:${encode({ tokenIdentifier: "me" })}`)).toMatchObject({
      actingAs: { tokenIdentifier: "me" },
    });
  });

  test.each(["", "Bearer", "Convex", "x"])(
    "of less than seven characters, %j, is refused",
    async (header) => {
      expect(await thrown(() => parseAuthorization(header))).toMatchObject({
        code: "InvalidHeaderFailure",
        httpStatus: 400,
        message: "Invalid authentication header",
      });
    },
  );

  test.each(["Basic YTpi", "Bearer ", "a.b.c.d.e"])(
    "of another scheme or without a token, %j, is refused",
    async (header) => {
      expect(await thrown(() => parseAuthorization(header))).toMatchObject({
        code: "InvalidAdminKey",
        httpStatus: 400,
      });
    },
  );

  test.each([
    ["text that is not JSON", "bm9wZQ=="],
    ["nothing", ""],
    ["no object", encode([1])],
    ["no one", encode({ name: "x" })],
    ["an issuer without a subject", encode({ issuer: "https://issuer.test" })],
    ["a name that is no text", encode({ tokenIdentifier: "me", name: 7 })],
    ["a flag that is no flag", encode({ tokenIdentifier: "me", emailVerified: "yes" })],
  ])("that acts as %s is refused", async (_, encoded) => {
    expect(await thrown(() => parseAuthorization(`Convex name|1f:${encoded}`))).toMatchObject({
      code: "HeaderParseFailure",
      httpStatus: 400,
      message: "Malformed Authorization header.",
    });
  });

  test("with characters that do not belong into a header is refused without repeating them", async () => {
    const error = await thrown(() => parseAuthorization("Bearer caf\u00e9"));
    expect(error).toMatchObject({ code: "HeaderParseFailure", httpStatus: 400 });
    expect(error.message).not.toContain("caf");
  });
});

describe("an admin key", () => {
  test("is the instance's name and 256 random bits", () => {
    const key = newAdminKey("meetings");
    expect(key).toMatch(/^meetings\|[0-9a-f]{64}$/);
    expect(newAdminKey("meetings")).not.toBe(key);
  });

  test("is accepted as it is and with the kind of deployment in front", () => {
    const key = newAdminKey("meetings");
    expect(isAdminKey(key, key)).toBe(true);
    expect(isAdminKey(`prod:${key}`, key)).toBe(true);
    for (const wrong of [
      "",
      "meetings|",
      key.slice(0, -1),
      `${key}0`,
      key.toUpperCase(),
      newAdminKey("meetings"),
    ]) {
      expect(isAdminKey(wrong, key)).toBe(false);
    }
  });

  test("may be any text, as the testing helper of convex-helpers sends it", () => {
    expect(isAdminKey("0135d859", "0135d859")).toBe(true);
  });
});
