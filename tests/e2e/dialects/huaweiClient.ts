/** The vendor's SDK, whose package of the Meeting service is not published: its transport with requests written by hand. */
import { createRequire } from "node:module";
import type { ClientRequestException as Exception } from "@huaweicloud/huaweicloud-sdk-core/exception/ClientRequestException";
import type { HcClient as Client } from "@huaweicloud/huaweicloud-sdk-core/HcClient";
import type { DefaultHttpClient as Transport } from "@huaweicloud/huaweicloud-sdk-core/http/DefaultHttpClient";
import type { Server } from "../../../embedded/index";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import type { ConferenceInfo } from "../../../convex/dialects/huawei/wire";

const load = createRequire(import.meta.url);
const { HcClient } = load("@huaweicloud/huaweicloud-sdk-core/HcClient") as { HcClient: typeof Client };
const { DefaultHttpClient } = load("@huaweicloud/huaweicloud-sdk-core/http/DefaultHttpClient") as {
  DefaultHttpClient: typeof Transport;
};

const CONTROL = "/v1/mmc/control/conferences";
const MANAGEMENT = "/v1/mmc/management/conferences";

export type Attendee = Record<string, unknown>;
type Query = Record<string, string | number>;
type Headers = Record<string, string>;
type Method = "GET" | "POST" | "PUT" | "DELETE";

/** What the SDK makes of an error. */
export type Failure = Pick<Exception, "httpStatusCode" | "errorCode" | "errorMsg" | "requestId">;

export class HuaweiClient {
  readonly #client: Client;
  accessToken = "";

  constructor(
    server: Pick<Server, "siteUrl">,
    readonly credentials: Pick<NewCredentials, "huaweiAccount" | "huaweiPassword">,
    prefix = "",
  ) {
    const endpoints = [`${server.siteUrl}${prefix}`];
    // What it prints of errors is of no use to tests.
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const transport = new DefaultHttpClient({ logger } as never, endpoints);
    this.#client = new HcClient(transport, {} as never).withEndpoints(endpoints);
  }

  /** Sends a request as the generated code of the SDK does. */
  send<T = Record<string, unknown>>(
    method: Method,
    url: string,
    { query = {}, headers = {}, body }: { query?: Query; headers?: Headers; body?: object } = {},
  ): Promise<T & { httpStatusCode: number }> {
    return this.#client.sendRequest({
      method,
      url,
      contentType: "application/json",
      queryParams: query,
      pathParams: {},
      headers: { ...headers },
      ...(body && { data: body }),
    } as never) as Promise<T & { httpStatusCode: number }>;
  }

  async login(clientType = 72): Promise<string> {
    const { huaweiAccount: account, huaweiPassword: password } = this.credentials;
    const { accessToken } = await this.send<{ accessToken: string }>("POST", "/v1/usg/acs/auth/account", {
      headers: { Authorization: `Basic ${btoa(`${account}:${password}`)}` },
      body: { account, clientType },
    });
    this.accessToken = accessToken;
    return accessToken;
  }

  /** An operation with the access token. */
  manage<T = Record<string, unknown>>(method: Method, path: string, query: Query = {}, body?: object) {
    const headers = { "X-Access-Token": this.accessToken };
    return this.send<T>(method, `${MANAGEMENT}${path}`, { query, headers, ...(body && { body }) });
  }

  /** Makes a meeting, which is on at once unless a startTime is given. */
  async create(fields: object = {}): Promise<ConferenceInfo> {
    const answer = await this.manage<Record<string, ConferenceInfo>>(
      "POST",
      "",
      {},
      {
        subject: "Planning",
        mediaTypes: "Voice,HDVideo",
        ...fields,
      },
    );
    return answer["0"] as ConferenceInfo;
  }

  async controlToken(conferenceID: string, password: string, headers: Headers = {}): Promise<string> {
    const { data } = await this.send<{ data: { token: string } }>("GET", `${CONTROL}/token`, {
      query: { conferenceID },
      headers: {
        "X-Access-Token": this.accessToken,
        "X-Password": password,
        "X-Login-Type": "1",
        ...headers,
      },
    });
    return data.token;
  }

  /** A meeting that is on, and what controls it. */
  async open(fields: object = {}): Promise<Control> {
    const conference = await this.create(fields);
    const token = await this.controlToken(conference.conferenceID, hostPasswordOf(conference));
    return new Control(this, conference, token);
  }
}

/** A meeting with its control token. */
export class Control {
  constructor(
    readonly client: HuaweiClient,
    readonly conference: ConferenceInfo,
    readonly token: string,
  ) {}

  get id(): string {
    return this.conference.conferenceID;
  }

  call<T = Record<string, unknown>>(method: Method, path: string, body?: object, query: Query = {}) {
    return this.client.send<T>(method, `${CONTROL}${path}`, {
      query: { conferenceID: this.id, ...query },
      headers: { "X-Conference-Authorization": this.token },
      ...(body && { body }),
    });
  }

  invite(...attendees: Attendee[]) {
    return this.call("POST", "/participants", { attendees });
  }

  info(): Promise<RealTimeInfo> {
    return this.call<RealTimeInfo>("GET", "/realTimeInfo");
  }

  /** The participant id of somebody. */
  async pid(name: string): Promise<string> {
    const { participants } = await this.info();
    return participants.find((participant) => participant.name === name)?.pid ?? "";
  }
}

export interface RealTimeInfo {
  attendees: { accountID: string; userUUID: string; name: string; phone: string }[];
  participants: { pid: string; name: string; phone: string; state: number; mute: number; hand: number }[];
  confInfo: { chairID: string; coHosts: string[] };
}

export function hostPasswordOf({ passwordEntry }: ConferenceInfo): string {
  return passwordOf(passwordEntry, "chair");
}

export function guestPasswordOf({ passwordEntry }: ConferenceInfo): string {
  return passwordOf(passwordEntry, "general");
}

function passwordOf(entries: ConferenceInfo["passwordEntry"], role: string): string {
  return entries.find(({ conferenceRole }) => conferenceRole === role)?.password ?? "";
}

/** The error of a request that must fail. */
export async function failureOf(request: Promise<unknown>): Promise<Failure> {
  return request.then(
    (answer) => {
      throw new Error(`Expected an error, got ${JSON.stringify(answer)}`);
    },
    (error: unknown) => error as Failure,
  );
}

/** The code of the error of a request that must fail. */
export async function errorOf(request: Promise<unknown>): Promise<string | undefined> {
  return (await failureOf(request)).errorCode;
}
