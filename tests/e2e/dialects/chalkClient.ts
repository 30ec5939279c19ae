/** Calls the Chalk rooms API as its own client does: JSON with a bearer or an API key, and the error's text from the body. */
import { request, type Answer, type TestServer } from "../server";

export type Json = Record<string, unknown>;

export class ChalkClient {
  constructor(
    private readonly server: Pick<TestServer, "siteUrl">,
    private readonly headers: Record<string, string>,
  ) {}

  static withKey(server: Pick<TestServer, "siteUrl">, apiKey: string): ChalkClient {
    return new ChalkClient(server, { "X-API-Key": apiKey });
  }

  static withToken(server: Pick<TestServer, "siteUrl">, token: unknown): ChalkClient {
    return new ChalkClient(server, { Authorization: `Bearer ${String(token)}` });
  }

  send(method: string, path: string, body?: unknown): Promise<Answer> {
    return request(`${this.server.siteUrl}/api/v1${path}`, {
      method,
      headers: this.headers,
      ...(body !== undefined && { body }),
    });
  }

  /** The body of an answer that must be a success. */
  async call<Body = Json>(method: string, path: string, body?: unknown): Promise<Body> {
    const answer = await this.send(method, path, body);
    if (answer.status < 300) return answer.body as Body;
    throw new Error(`${method} ${path} gave ${answer.status}: ${JSON.stringify(answer.body)}`);
  }

  /** Status and text of an answer that must be an error. */
  async refusal(method: string, path: string, body?: unknown): Promise<[number, unknown]> {
    const answer = await this.send(method, path, body);
    return [answer.status, (answer.body as { error?: unknown }).error ?? answer.body];
  }

  /** Makes a room and gives its id. */
  async newRoom(fields: Json = {}): Promise<string> {
    return (await this.call<{ id: string }>("POST", "/rooms", fields)).id;
  }
}
