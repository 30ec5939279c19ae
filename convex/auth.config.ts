import type { AuthConfig } from "convex/server";

const clientId = process.env.WORKOS_CLIENT_ID;

const workos = {
  type: "customJwt",
  algorithm: "RS256",
  jwks: process.env.WORKOS_JWKS_URL,
} as const;

/*
 * An AuthKit access token names as its issuer either WorkOS with the client id, or WorkOS alone, as the project is set up,
 * and it has no audience unless a JWT template of the project adds one. Convex checks the audience only for a provider
 * with an `applicationID`, so there is one provider for each shape of token.
 *
 * The last one leaves the audience of the shared issuer unchecked. Convex warns of that, and refuses such a provider when
 * its issuer is written with "https://" (it takes the scheme as given where it is missing): tokens of other applications
 * name the same issuer. Here they fail all the same, because the keys behind WORKOS_JWKS_URL are those of this one
 * client id. Keep it so: that URL must end in the client id.
 */
export default {
  providers: [
    { ...workos, issuer: `https://api.workos.com/user_management/${clientId}` },
    { ...workos, issuer: "https://api.workos.com/", applicationID: clientId },
    { ...workos, issuer: "api.workos.com" },
  ],
} as AuthConfig;
