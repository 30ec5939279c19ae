import { describe, expect, test } from "vitest";
import { AuthConfigError, parseAuthConfig } from "../../embedded/auth/providers";

const customJwt = {
  type: "customJwt",
  issuer: "https://issuer.test/",
  jwks: "https://issuer.test/keys",
  algorithm: "RS256",
};

function problem(config: unknown): AuthConfigError {
  try {
    parseAuthConfig(config);
  } catch (error) {
    if (error instanceof AuthConfigError) return error;
    throw error;
  }
  throw new Error("expected an AuthConfigError");
}

describe("auth.config.ts", () => {
  test("gives the providers in the order written", () => {
    const providers = parseAuthConfig({
      providers: [
        { domain: "tenant.eu.auth0.com", applicationID: "app" },
        { ...customJwt, applicationID: "client_1", extra: "ignored" },
        { ...customJwt, applicationID: undefined, jwks: "data:,{}", algorithm: "ES256" },
      ],
    });
    expect(providers).toEqual([
      { kind: "oidc", issuer: "https://tenant.eu.auth0.com", applicationId: "app" },
      {
        kind: "customJwt",
        issuer: "https://issuer.test/",
        jwks: "https://issuer.test/keys",
        algorithm: "RS256",
        applicationId: "client_1",
      },
      { kind: "customJwt", issuer: "https://issuer.test/", jwks: "data:,{}", algorithm: "ES256" },
    ]);
  });

  test("may have no providers, and accepts a written-out oidc type and a local issuer", () => {
    expect(parseAuthConfig({ providers: [] })).toEqual([]);
    const local = { type: "oidc", domain: "http://localhost:5556/dex", applicationID: "app" };
    expect(parseAuthConfig({ providers: [local] })[0]?.issuer).toBe("http://localhost:5556/dex");
  });

  test.each([
    ["no export", undefined, "AuthConfigMissingExportError", "missing default export"],
    ["no list", { providers: {} }, "AuthConfigNotMatchingSchemaError", "array `providers`"],
    ["a cyclic export", cyclic(), "AuthConfigUnserializableError", "can only contain strings"],
  ])("with %s is refused", (_, config, code, text) => {
    expect(problem(config)).toMatchObject({ code });
    expect(problem(config).message).toContain(text);
  });

  test.each([
    ["a provider that is no object", "x", "Provider at index 1 must be an object"],
    [
      "a misspelt application id",
      { ...customJwt, applicationId: "a" },
      "Provider at index 1 must have applicationID",
    ],
    [
      "an unknown type",
      { ...customJwt, type: "saml" },
      `Provider at index 1 has unexpected 'type' value "saml"`,
    ],
    ["no issuer", { ...customJwt, issuer: undefined }, "Provider at index 1 is missing 'issuer'"],
    ["an empty issuer", { ...customJwt, issuer: "" }, "Provider at index 1 has an empty 'issuer'"],
    [
      "an issuer that is no text",
      { ...customJwt, issuer: 7 },
      "Provider at index 1 must have a string as 'issuer'",
    ],
    ["no jwks", { ...customJwt, jwks: undefined }, "Provider at index 1 is missing 'jwks'"],
    [
      "a jwks that is no URL",
      { ...customJwt, jwks: "keys.json" },
      "Provider at index 1 has a 'jwks' that is not a URL",
    ],
    ["a jwks in a file", { ...customJwt, jwks: "file:///etc/keys" }, "'jwks' that has the scheme 'file:'"],
    ["no algorithm", { ...customJwt, algorithm: undefined }, "Provider at index 1 is missing 'algorithm'"],
    [
      "a bad algorithm",
      { ...customJwt, algorithm: "HS256" },
      `Provider at index 1 has the algorithm "HS256"`,
    ],
    [
      "a domain at a customJwt",
      { ...customJwt, domain: "a.com" },
      "is a customJwt so cannot have a 'domain'",
    ],
    ["an issuer at an oidc provider", { issuer: "https://a.com" }, "is oidc so cannot have an 'issuer'"],
    ["no domain", { applicationID: "app" }, "Provider at index 1 is missing 'domain'"],
    ["no application id", { domain: "a.com" }, "Provider at index 1 is missing 'applicationID'"],
  ])("with %s is refused, naming provider and field", (_, provider, text) => {
    const error = problem({ providers: [customJwt, provider] });
    expect(error.code).toBe("AuthConfigNotMatchingSchemaError");
    expect(error.message).toContain("auth config file must include a list of provider credentials: ");
    expect(error.message).toContain(text);
  });

  test.each([
    ["quoted", '"https://a.com"', "starts with a double quote"],
    ["of another scheme", "ftp://a.com", "scheme should be http or https"],
    ["that is a pasted key", "pk_live_abcdef", "Does not look like a URL"],
    ["that is unparsable", "https://a b", "not a URL"],
  ])("with an issuer %s is refused", (_, issuer, text) => {
    const error = problem({ providers: [{ ...customJwt, issuer }] });
    expect(error.code).toBe("InvalidProviderDomainUrl");
    expect(error.message).toContain(text);
    expect(error.message).toContain("Provider at index 0");
  });

  test("with WorkOS's shared issuer and no application id is refused, as on Convex", () => {
    for (const issuer of ["https://api.workos.com", "https://api.workos.com/"]) {
      expect(problem({ providers: [{ ...customJwt, issuer }] }).code).toBe("InsecureConfiguration");
    }
  });
});

function cyclic(): object {
  const config: { self?: object } = {};
  config.self = config;
  return config;
}
