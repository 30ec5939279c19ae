import { isJsonObject, type Json, type JsonObject } from "../values/json";
import { parseJson } from "./json";

/** An OpenID Connect provider: its keys are found through its discovery document. */
export interface OidcProvider {
  readonly kind: "oidc";
  /** The `domain` of the configuration as a URL with a scheme; a trailing slash is kept as written. */
  readonly issuer: string;
  /** What the token's only audience has to be. */
  readonly applicationId: string;
}

/** An issuer of plain JWTs whose keys are at a known place. */
export interface CustomJwtProvider {
  readonly kind: "customJwt";
  /** As a URL with a scheme; a trailing slash is kept as written. */
  readonly issuer: string;
  /** An http:, https: or data: URL of a JSON Web Key Set. */
  readonly jwks: string;
  readonly algorithm: "RS256" | "ES256";
  /** If present, one of the token's audiences has to be this. */
  readonly applicationId?: string;
}

export type AuthProvider = OidcProvider | CustomJwtProvider;

export type AuthConfigErrorCode =
  | "AuthConfigMissingExportError"
  | "AuthConfigNotMatchingSchemaError"
  | "AuthConfigUnserializableError"
  | "InsecureConfiguration"
  | "InvalidProviderDomainUrl";

/** `auth.config.ts` cannot be used; the message says which provider and which field. */
export class AuthConfigError extends Error {
  override readonly name = "AuthConfigError";
  readonly code: AuthConfigErrorCode;

  constructor(code: AuthConfigErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const seeDocs = "To learn more, see the auth documentation at https://docs.convex.dev/auth.";

/**
 * The providers of a default export of `auth.config.ts`, in the order written, which is the order of matching.
 *
 * What Convex refuses on a push is refused here, so that a configuration that starts here also deploys.
 * Properties that Convex ignores are ignored.
 *
 * @throws AuthConfigError
 */
export function parseAuthConfig(defaultExport: unknown): AuthProvider[] {
  if (defaultExport === undefined || defaultExport === null) {
    throw new AuthConfigError(
      "AuthConfigMissingExportError",
      `auth config file is missing default export. ${seeDocs}`,
    );
  }
  const config = asJson(defaultExport);
  if (!isJsonObject(config) || !Array.isArray(config["providers"])) {
    throw notMatchingSchema("the default export must be an object with an array `providers`");
  }
  const providers: Json[] = config["providers"];
  return providers.map(parseProvider);
}

/** Convex reads the export through JSON, which is what drops properties whose value is `undefined`. */
function asJson(value: unknown): Json {
  try {
    return parseJson(JSON.stringify(value));
  } catch {
    throw new AuthConfigError(
      "AuthConfigUnserializableError",
      `auth config file can only contain strings ${seeDocs}`,
    );
  }
}

function parseProvider(provider: Json, index: number): AuthProvider {
  const where = `Provider at index ${index}`;
  if (!isJsonObject(provider)) throw notMatchingSchema(`${where} must be an object`);
  if ("applicationId" in provider || "applicationid" in provider) {
    throw notMatchingSchema(
      `${where} must have applicationID property spelled lowercase 'application', capital I, capital D.`,
    );
  }
  const type = provider["type"];
  if (type === "customJwt") return parseCustomJwt(provider, where);
  if (type === undefined || type === "oidc") return parseOidc(provider, where);
  throw notMatchingSchema(`${where} has unexpected 'type' value ${JSON.stringify(type)}`);
}

function parseOidc(provider: JsonObject, where: string): OidcProvider {
  if ("issuer" in provider) {
    throw notMatchingSchema(
      `${where} is oidc so cannot have an 'issuer' specified. ` +
        `It needs 'domain' and 'applicationID', or type: "customJwt".`,
    );
  }
  return {
    kind: "oidc",
    issuer: issuerUrl(requiredString(provider, "domain", where), where),
    applicationId: requiredString(provider, "applicationID", where),
  };
}

function parseCustomJwt(provider: JsonObject, where: string): CustomJwtProvider {
  if ("domain" in provider) {
    throw notMatchingSchema(`${where} is a customJwt so cannot have a 'domain' specified`);
  }
  const issuer = requiredString(provider, "issuer", where);
  const applicationId =
    (provider["applicationID"] ?? null) === null
      ? undefined
      : requiredString(provider, "applicationID", where);
  if (
    applicationId === undefined &&
    (issuer === "https://api.workos.com" || issuer === "https://api.workos.com/")
  ) {
    throw new AuthConfigError(
      "InsecureConfiguration",
      `This auth configuration appears potentially insecure: ${where} has an issuer that is shared among ` +
        "many applications, so must to specify an ApplicationID to check against an `aud` field of a JWT.",
    );
  }
  const algorithm = requiredString(provider, "algorithm", where);
  if (algorithm !== "RS256" && algorithm !== "ES256") {
    throw notMatchingSchema(
      `${where} has the algorithm ${JSON.stringify(algorithm)}; only "RS256" and "ES256" are supported`,
    );
  }
  return {
    kind: "customJwt",
    issuer: issuerUrl(issuer, where),
    jwks: jwksUrl(requiredString(provider, "jwks", where), where),
    algorithm,
    ...(applicationId === undefined ? {} : { applicationId }),
  };
}

function requiredString(provider: JsonObject, field: string, where: string): string {
  const value = provider[field];
  if (value === undefined || value === null) {
    throw notMatchingSchema(`${where} is missing '${field}' (is the environment variable behind it set?)`);
  }
  if (typeof value !== "string") throw notMatchingSchema(`${where} must have a string as '${field}'`);
  if (value === "") throw notMatchingSchema(`${where} has an empty '${field}'`);
  return value;
}

/** An issuer as a URL: `https://` is assumed where no scheme is written and the rest looks like a host. */
function issuerUrl(written: string, where: string): string {
  const invalid = (reason: string) =>
    new AuthConfigError(
      "InvalidProviderDomainUrl",
      `Invalid provider domain URL "${written}": ${reason} (${where})`,
    );
  if (written.startsWith('"')) throw invalid('starts with a double quote (")');
  const hasScheme = /^\w+:\/\//.test(written);
  const url = hasScheme ? written : `https://${written}`;
  if (!URL.canParse(url)) throw invalid("not a URL");
  const { protocol, hostname } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") throw invalid("scheme should be http or https");
  if (!hasScheme && !looksLikeDomain(hostname)) {
    throw invalid("Does not look like a URL (must have a scheme or end with a top-level domain)");
  }
  return url;
}

/** Catches a key or an id pasted in place of a domain; the list of real top-level domains is not consulted. */
function looksLikeDomain(hostname: string): boolean {
  return hostname === "localhost" || /\.(?:[a-z]{2,}|xn--[a-z0-9-]+)$/.test(hostname);
}

function jwksUrl(written: string, where: string): string {
  const invalid = (reason: string) =>
    notMatchingSchema(`${where} has a 'jwks' that ${reason}: it must be an http:, https: or data: URL`);
  if (!URL.canParse(written)) throw invalid("is not a URL");
  const { protocol } = new URL(written);
  if (protocol !== "http:" && protocol !== "https:" && protocol !== "data:") {
    throw invalid(`has the scheme '${protocol}'`);
  }
  return written;
}

function notMatchingSchema(detail: string): AuthConfigError {
  return new AuthConfigError(
    "AuthConfigNotMatchingSchemaError",
    `auth config file must include a list of provider credentials: ${detail}`,
  );
}
