import { createLocalJWKSet, type JSONWebKeySet } from "jose";
import { isJsonObject } from "../values/json";
import { FetchDocumentError, fetchDocument } from "./fetchDocument";
import { Refreshing } from "./refreshing";

/** The public keys of an issuer. */
export interface KeySet {
  /** Finds the key for a token's header, as jose wants it. */
  readonly resolve: ReturnType<typeof createLocalJWKSet>;
  has(keyId: string): boolean;
}

export interface DiscoveryDocument {
  readonly issuer: string;
  readonly jwksUri: string;
}

/** Key sets and discovery documents, fetched when they are first needed and kept. */
export interface KeySource {
  /**
   * The keys at a URL (http:, https: or data:). If the key with this id is not among the known ones, they are
   * fetched again, at most once in 30 s, so that made-up ids cannot make us hammer the issuer.
   * @throws FetchDocumentError
   */
  keys(jwksUrl: string, keyId: string | undefined): Promise<KeySet>;
  /**
   * The OpenID Connect discovery document of an issuer's URL.
   * @throws FetchDocumentError
   */
  discover(issuerUrl: string): Promise<DiscoveryDocument>;
}

/** @param now the time in ms since the epoch */
export function createKeySource(now: () => number): KeySource {
  // Both are keyed by what is configured, or by what a configured issuer says: tokens cannot make them grow.
  const keySets = new Map<string, Refreshing<KeySet>>();
  const documents = new Map<string, Refreshing<DiscoveryDocument>>();
  return {
    keys(jwksUrl, keyId) {
      const keySet = getOrCreate(keySets, jwksUrl, () => new Refreshing(() => loadKeySet(jwksUrl), now));
      return keySet.get((keys) => keyId === undefined || keys.has(keyId));
    },
    discover(issuerUrl) {
      const document = getOrCreate(
        documents,
        issuerUrl,
        () => new Refreshing(() => loadDiscovery(issuerUrl), now),
      );
      return document.get(() => true);
    },
  };
}

function getOrCreate<V>(map: Map<string, V>, key: string, create: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}

async function loadKeySet(jwksUrl: string): Promise<KeySet> {
  const document = await fetchDocument(jwksUrl, {
    // WorkOS answers with the second one.
    mediaTypes: ["application/json", "application/jwk-set+json"],
    mediaTypeOptional: false,
  });
  if (!isJsonObject(document) || !Array.isArray(document["keys"])) {
    throw new FetchDocumentError({ kind: "body" });
  }
  const keys: readonly unknown[] = document["keys"];
  const ids = new Set(keys.map((key) => (key as { kid?: unknown } | null)?.kid));
  try {
    const resolve = createLocalJWKSet(document as unknown as JSONWebKeySet);
    return { resolve, has: (keyId) => ids.has(keyId) };
  } catch {
    throw new FetchDocumentError({ kind: "body" });
  }
}

async function loadDiscovery(issuerUrl: string): Promise<DiscoveryDocument> {
  const base = issuerUrl.endsWith("/") ? issuerUrl : `${issuerUrl}/`;
  const document = await fetchDocument(`${base}.well-known/openid-configuration`, {
    mediaTypes: ["application/json"],
    mediaTypeOptional: true,
  });
  if (!isJsonObject(document)) throw new FetchDocumentError({ kind: "body" });
  const { issuer, jwks_uri: jwksUri } = document;
  if (typeof issuer !== "string" || typeof jwksUri !== "string" || !/^https?:\/\//i.test(jwksUri)) {
    throw new FetchDocumentError({ kind: "body" });
  }
  return { issuer, jwksUri };
}
