import { isAdminKey, parseAuthorization } from "./auth/adminKey";
import { AuthError, badAdminKey } from "./auth/authError";
import { createTokenVerifier, type TokenVerifier } from "./auth/verifyToken";
import type { AuthProvider } from "./auth/providers";
import { ANONYMOUS, type Caller } from "./functions/caller";
import { ApiError } from "./http/apiError";
import type { Authenticate } from "./sync/protocol";
import { SocketAuthError, type SocketIdentity } from "./sync/session";
import type { Json } from "./values/json";

const BEARER = "Bearer ";

/** Tells from a request's headers on whose behalf its functions run. */
export class Authentication {
  #verifier: TokenVerifier;

  #adminKey: string | null = null;

  /** @param redactErrors whether clients are told nothing of the providers and their keys */
  constructor(private readonly redactErrors: boolean) {
    this.#verifier = createTokenVerifier([], { redactErrors });
  }

  /** Lets in the holder of this key from now on. */
  allowAdmin(adminKey: string): void {
    this.#adminKey = adminKey;
  }

  /** Accepts the tokens of these providers from now on. */
  use(providers: readonly AuthProvider[]): void {
    this.#verifier = createTokenVerifier(providers, { redactErrors: this.redactErrors });
  }

  /** Rejects with {@link ApiError} for credentials that can't be used. Nobody waits for those that are known. */
  authenticate(authorization: string | undefined, adminKeyParameter?: string): Caller | Promise<Caller> {
    return this.#known(authorization) ?? this.#authenticate(authorization, adminKeyParameter);
  }

  async #authenticate(authorization: string | undefined, adminKeyParameter?: string): Promise<Caller> {
    try {
      return await this.#caller(authorization, adminKeyParameter);
    } catch (error) {
      throw error instanceof AuthError ? new ApiError(error.httpStatus, error.code, error.message) : error;
    }
  }

  /** The user of a token that was verified before, as almost all are: then nothing else of the header is looked at. */
  #known(authorization: string | undefined): Caller | undefined {
    if (!authorization?.startsWith(BEARER)) return undefined;
    const identity = this.#verifier.peek(authorization.slice(BEARER.length));
    return identity && { kind: "user", identity: identity.attributes as Json };
  }

  /** Like {@link authenticate}, but leaves it to the function whether bad credentials matter. */
  async identify(authorization: string | undefined): Promise<Caller> {
    try {
      return await this.#caller(authorization);
    } catch (error) {
      if (error instanceof AuthError) return { kind: "unidentified", problem: error.message };
      throw error;
    }
  }

  /** Who an `Authenticate` message of the sync protocol names. Throws {@link SocketAuthError}. */
  async authenticateSocket({
    tokenType,
    value = "",
    impersonating,
    actingAs,
  }: Authenticate): Promise<SocketIdentity> {
    try {
      if (tokenType === "User") {
        const identity = this.#verifier.peek(value) ?? (await this.#verifier.verify(value));
        return {
          caller: { kind: "user", identity: identity.attributes as Json },
          expiresAtMs: identity.expiresAtMs,
        };
      }
      this.#requireAdmin(value);
      const user = impersonating ?? actingAs;
      return {
        caller: { kind: "admin", ...(user === undefined ? {} : { actingAs: user }) },
        expiresAtMs: Infinity,
      };
    } catch (error) {
      throw error instanceof AuthError ? new SocketAuthError(error.message) : error;
    }
  }

  async #caller(authorization: string | undefined, adminKeyParameter?: string): Promise<Caller> {
    const credentials = parseAuthorization(authorization, adminKeyParameter);
    switch (credentials.kind) {
      case "none":
        return ANONYMOUS;
      case "user": {
        const { token } = credentials;
        const identity = await this.#verifier.verify(token);
        return { kind: "user", identity: identity.attributes as Json };
      }
      case "admin": {
        this.#requireAdmin(credentials.key);
        const { actingAs } = credentials;
        return actingAs === undefined ? { kind: "admin" } : { kind: "admin", actingAs: actingAs as Json };
      }
    }
  }

  #requireAdmin(key: string): void {
    if (this.#adminKey === null || !isAdminKey(key, this.#adminKey)) throw badAdminKey();
  }
}
