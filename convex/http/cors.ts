const PREFLIGHT_SECONDS = 24 * 60 * 60;

/** Lets a web page of one of ALLOWED_ORIGINS (comma separated, none by default) read the answer. */
export function withCors(request: Request, response: Response): Response {
  response.headers.append("Vary", "Origin");
  const origin = request.headers.get("Origin");
  if (origin !== null && allowedOrigins().includes(origin)) {
    response.headers.set("Access-Control-Allow-Origin", origin);
    response.headers.set("Access-Control-Expose-Headers", "Retry-After, WWW-Authenticate");
  }
  return response;
}

/** What a browser wants to know before it sends a request with a token. */
export function preflightResponse(request: Request): Response {
  const response = withCors(request, new Response(null, { status: 204 }));
  if (response.headers.has("Access-Control-Allow-Origin")) {
    response.headers.set("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE");
    response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
    response.headers.set("Access-Control-Max-Age", String(PREFLIGHT_SECONDS));
  }
  return response;
}

function allowedOrigins(): string[] {
  return (process.env.ALLOWED_ORIGINS ?? "")
    .split(",")
    .map((origin) => origin.trim())
    .filter(Boolean);
}
