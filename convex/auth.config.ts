import type { AuthConfig } from "convex/server";

const common = {
  type: "customJwt",
  algorithm: "RS256",
  jwks: process.env.WORKOS_JWKS_URL,
} as const;

// An AuthKit access token names as its issuer either WorkOS, or WorkOS with the client id, as the project is set up.
// Neither provider has an `applicationID`: Convex would then ask for an audience, which the token lacks unless the
// project's JWT template adds one. Leaving it out is safe here because the keys behind WORKOS_JWKS_URL sign for this one
// client id alone.
export default {
  providers: [
    { ...common, issuer: `https://api.workos.com/user_management/${process.env.WORKOS_CLIENT_ID}` },
    { ...common, issuer: "https://api.workos.com/" },
  ],
} as AuthConfig;
