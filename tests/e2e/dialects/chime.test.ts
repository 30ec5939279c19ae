/** The Amazon Chime SDK meetings API, by Amazon's own client. */
import {
  type Attendee,
  BadRequestException,
  BatchCreateAttendeeCommand,
  type ChimeSDKMeetingsClient,
  ConflictException,
  CreateAttendeeCommand,
  CreateMeetingCommand,
  CreateMeetingWithAttendeesCommand,
  DeleteAttendeeCommand,
  DeleteMeetingCommand,
  ForbiddenException,
  GetAttendeeCommand,
  GetMeetingCommand,
  LimitExceededException,
  ListAttendeesCommand,
  NotFoundException,
  paginateListAttendees,
  ThrottlingException,
  UnprocessableEntityException,
} from "@aws-sdk/client-chime-sdk-meetings";
import { TokenVerifier } from "livekit-server-sdk";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { call, newMeeting, run, signIn, valueOf, type TestServer } from "../server";
import { chimeClient, newChimeMeeting, thrownBy } from "./chimeClient";
import { sendSigned } from "./chimeRequest";
import { asAdmin, configure, newCredentials, startDialectServer } from "./tenant";
import { startUnsteadyProxy } from "./unsteadyProxy";

const GUID = /^[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}$/;
const UNKNOWN = "12345678-1234-1234-1234-123456789012";
const ALL = { Audio: "SendReceive", Video: "SendReceive", Content: "SendReceive" } as const;

let server: TestServer;
let key: NewCredentials;
let client: ChimeSDKMeetingsClient;

beforeAll(async () => {
  server = await startDialectServer();
  key = await newCredentials(server);
  client = chimeClient(server, key);
});

afterEach(() => {
  expect(server.faults).toEqual([]);
});

const users = (names: readonly string[]) => names.map((ExternalUserId) => ({ ExternalUserId }));

const createBatch = (MeetingId: string, names: readonly string[], by = client) =>
  by.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees: users(names) }));

async function everybody(MeetingId: string, by = client): Promise<Attendee[]> {
  const all: Attendee[] = [];
  for await (const page of paginateListAttendees({ client: by, pageSize: 7 }, { MeetingId }))
    all.push(...(page.Attendees ?? []));
  return all;
}

const namesOf = (attendees: readonly Attendee[] = []) =>
  attendees.map(({ ExternalUserId }) => ExternalUserId);

describe("BatchCreateAttendee, as its page says", () => {
  test("answers the request of the page with the shape of the page", async () => {
    const MeetingId = await newChimeMeeting(client);
    const body = JSON.stringify({
      Attendees: [
        {
          Capabilities: { Audio: "SendReceive", Content: "None", Video: "Receive" },
          ExternalUserId: "string",
        },
      ],
    });
    const { status, headers, text } = await sendSigned(server, key, {
      method: "POST",
      target: `meetings/${MeetingId}/attendees?operation=batch-create`,
      body,
      headers: { "content-type": "application/json" },
    });
    expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
    expect(headers.get("x-amzn-requestid")).toMatch(GUID);
    expect(JSON.parse(text)).toEqual({
      Attendees: [
        {
          AttendeeId: expect.stringMatching(GUID),
          Capabilities: { Audio: "SendReceive", Content: "None", Video: "Receive" },
          ExternalUserId: "string",
          JoinToken: expect.stringMatching(/^.{2,2048}$/),
        },
      ],
      Errors: [],
    });
  });

  test("adds a hundred people, and lists each who could not be added with a code and a message", async () => {
    const MeetingId = await newChimeMeeting(client, { MeetingFeatures: { Attendee: { MaxCount: 98 } } });
    const good = Array.from({ length: 99 }, (_, index) => `user ${index}`);
    const { Attendees, Errors } = await client.send(
      new BatchCreateAttendeeCommand({
        MeetingId,
        Attendees: [
          {
            ExternalUserId: "screen only",
            Capabilities: { Audio: "None", Video: "Send", Content: "Receive" },
          },
          ...users(good),
        ],
      }),
    );
    expect(namesOf(Attendees)).toEqual(good.slice(0, 98));
    expect(new Set(Attendees?.map(({ AttendeeId }) => AttendeeId)).size).toBe(98);
    expect(Errors).toEqual([
      {
        ExternalUserId: "screen only",
        ErrorCode: "BadRequest",
        ErrorMessage: "Capabilities.Content: Content can only be received where video is received",
      },
      { ExternalUserId: "user 98", ErrorCode: "LimitExceeded", ErrorMessage: "Meeting is full" },
    ]);
    const listed = await everybody(MeetingId);
    expect(new Set(namesOf(listed))).toEqual(new Set(good.slice(0, 98)));
  });

  test("names each person of a repeated ExternalUserId once, however often it is asked", async () => {
    const MeetingId = await newChimeMeeting(client);
    const first = await createBatch(MeetingId, ["ann", "bob", "ann"]);
    const again = await createBatch(MeetingId, ["bob", "ann", "cy"]);
    const ids = new Map(
      first.Attendees?.map(({ ExternalUserId, AttendeeId }) => [ExternalUserId, AttendeeId]),
    );
    expect(namesOf(first.Attendees)).toEqual(["ann", "bob", "ann"]);
    expect(again.Errors).toEqual([]);
    expect(again.Attendees?.slice(0, 2).map(({ AttendeeId }) => AttendeeId)).toEqual([
      ids.get("bob"),
      ids.get("ann"),
    ]);
    expect(await everybody(MeetingId)).toHaveLength(3);
  });

  test.each([
    ["no attendees", []],
    ["101 attendees", users(Array.from({ length: 101 }, (_, index) => `user ${index}`))],
    ["a name of one character", users(["ann", "b"])],
    ["a name of 65 characters", users(["x".repeat(65)])],
    ["a name with a character that is not allowed", users(["a*b"])],
    ["a reserved name", users(["AWS:ann"])],
    ["a capability that there is not", [{ ExternalUserId: "ann", Capabilities: { ...ALL, Audio: "Hear" } }]],
    [
      "capabilities without content",
      [{ ExternalUserId: "ann", Capabilities: { Audio: "Send", Video: "Send" } }],
    ],
    ["null for attendees", null],
  ])("refuses %s as a whole", async (_, Attendees) => {
    const MeetingId = await newChimeMeeting(client);
    const input = { MeetingId, Attendees: Attendees as [] };
    const error = await thrownBy(client.send(new BatchCreateAttendeeCommand(input)));
    expect(error).toBeInstanceOf(BadRequestException);
    expect(error).toMatchObject({ Code: "BadRequest", message: expect.stringMatching(/^Attendees/) });
    expect(await everybody(MeetingId)).toEqual([]);
  });

  test("takes what the pattern allows", async () => {
    const MeetingId = await newChimeMeeting(client);
    const names = ["-_&@+=,(){}[]/«».:|'\"#", "Zoë Müller ÿ", "ab", "x".repeat(64)];
    expect(namesOf((await createBatch(MeetingId, names)).Attendees)).toEqual(names);
    expect(new Set(namesOf(await everybody(MeetingId)))).toEqual(new Set(names));
  });

  test("adds each person once when 20 clients send the same batch", async () => {
    const MeetingId = await newChimeMeeting(client);
    const names = Array.from({ length: 30 }, (_, index) => `person ${index}`);
    const clients = Array.from({ length: 20 }, () => chimeClient(server, key));
    const answers = await Promise.all(clients.map((one) => createBatch(MeetingId, names, one)));
    expect(new Set(answers.map(({ Attendees }) => JSON.stringify(Attendees?.map(idOf)))).size).toBe(1);
    const listed = await everybody(MeetingId);
    expect(listed).toHaveLength(30);
    expect(new Set(listed.map(idOf))).toEqual(new Set(answers[0]?.Attendees?.map(idOf)));
  });
});

const idOf = ({ AttendeeId }: Attendee) => AttendeeId;

describe("a meeting", () => {
  test("is active from the start, and gone when it is deleted", async () => {
    const MeetingFeatures = {
      Audio: { EchoReduction: "AVAILABLE" },
      Video: { MaxResolution: "FHD" },
      Attendee: { MaxCount: 25 },
    } as const;
    const MeetingId = await newChimeMeeting(client, {
      MeetingHostId: "host-1",
      TenantIds: ["abc"],
      MeetingFeatures,
    });
    const { Meeting } = await client.send(new GetMeetingCommand({ MeetingId }));
    expect(Meeting).toEqual({
      MeetingId: expect.stringMatching(GUID),
      MeetingHostId: "host-1",
      ExternalMeetingId: "planning",
      MediaRegion: "us-east-1",
      MediaPlacement: {},
      MeetingFeatures,
      TenantIds: ["abc"],
      MeetingArn: `arn:aws:chime:::meeting/${MeetingId}`,
    });
    const { Attendee } = await client.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: "ann" }));
    const check = () =>
      call<{ active: boolean }>(server, "", "meetings/tokens/checkJoinToken", { token: Attendee?.JoinToken });
    expect(await check()).toMatchObject({ active: true, role: "participant" });

    const { $metadata } = await client.send(new DeleteMeetingCommand({ MeetingId }));
    expect($metadata.httpStatusCode).toBe(204);
    expect(await check()).toEqual({ active: false, reason: "revoked" });
    for (const command of [new GetMeetingCommand({ MeetingId }), new DeleteMeetingCommand({ MeetingId })]) {
      const error = await thrownBy(client.send(command));
      expect(error).toBeInstanceOf(NotFoundException);
      expect(error).toMatchObject({ Code: "NotFound", RequestId: expect.stringMatching(GUID) });
    }
  });

  test("is made once for a ClientRequestToken, which is no other meeting's", async () => {
    const input = { ClientRequestToken: "token-1", MediaRegion: "us-east-1", ExternalMeetingId: "planning" };
    const made = await Promise.all(
      Array.from({ length: 5 }, () => client.send(new CreateMeetingCommand(input))),
    );
    expect(new Set(made.map(({ Meeting }) => Meeting?.MeetingId)).size).toBe(1);
    const error = await thrownBy(
      client.send(new CreateMeetingCommand({ ...input, ExternalMeetingId: "another" })),
    );
    expect(error).toBeInstanceOf(ConflictException);
  });

  test("is made with attendees in one request", async () => {
    const input = {
      ClientRequestToken: "token-with-attendees",
      MediaRegion: "us-east-1",
      ExternalMeetingId: "planning",
      MeetingFeatures: { Attendee: { MaxCount: 2 } },
      Attendees: users(["ann", "bob", "cy"]),
    };
    const made = await client.send(new CreateMeetingWithAttendeesCommand(input));
    expect(namesOf(made.Attendees)).toEqual(["ann", "bob"]);
    expect(made.Errors).toMatchObject([{ ExternalUserId: "cy", ErrorCode: "LimitExceeded" }]);
    const again = await client.send(new CreateMeetingWithAttendeesCommand(input));
    expect(again.Attendees?.map(idOf)).toEqual(made.Attendees?.map(idOf));
    expect(again.Attendees?.[0]?.JoinToken).toMatch(/^.{2,2048}$/);
    const tooMany = { ...input, Attendees: users(Array.from({ length: 21 }, (_, index) => `user ${index}`)) };
    expect(await thrownBy(client.send(new CreateMeetingWithAttendeesCommand(tooMany)))).toBeInstanceOf(
      BadRequestException,
    );
  });

  test.each([
    ["a token with a space", { ClientRequestToken: "a b" }],
    ["no external id", { ExternalMeetingId: "" }],
    ["more than 250 places", { MeetingFeatures: { Attendee: { MaxCount: 251 } } }],
    ["FHD video without a count", { MeetingFeatures: { Video: { MaxResolution: "FHD" } } }],
    [
      "UHD content for 26",
      { MeetingFeatures: { Content: { MaxResolution: "UHD" }, Attendee: { MaxCount: 26 } } },
    ],
    ["six tenants", { TenantIds: ["aa", "bb", "cc", "dd", "ee", "ff"] }],
    ["a tenant with a character four times", { TenantIds: ["aaaa"] }],
    ["51 tags", { Tags: Array.from({ length: 51 }, (_, index) => ({ Key: `k${index}`, Value: "" })) }],
    ["a meeting whose media are to be replicated", { PrimaryMeetingId: UNKNOWN }],
  ] as const)("is not made with %s", async (_, input) => {
    expect(await thrownBy(newChimeMeeting(client, input as object))).toBeInstanceOf(BadRequestException);
  });

  test("cannot be one too many", async () => {
    const few = chimeClient(server, await newCredentials(server, "few"));
    await configure(server, "few", { maxConcurrentMeetings: 3 });
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => newChimeMeeting(few)));
    const refused = made.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as unknown] : [],
    );
    expect(refused).toHaveLength(2);
    for (const error of refused) expect(error).toBeInstanceOf(LimitExceededException);
  });
});

describe("attendees", () => {
  test("are added, found, listed by the page and removed", async () => {
    const MeetingId = await newChimeMeeting(client);
    const { Attendees = [] } = await createBatch(MeetingId, ["ann", "bob", "cy"]);
    const AttendeeId = Attendees[0]?.AttendeeId;
    const { Attendee } = await client.send(new GetAttendeeCommand({ MeetingId, AttendeeId }));
    expect(Attendee).toMatchObject({ AttendeeId, ExternalUserId: "ann", Capabilities: ALL });

    const first = await client.send(new ListAttendeesCommand({ MeetingId, MaxResults: 2 }));
    expect(first.Attendees).toHaveLength(2);
    const rest = await client.send(new ListAttendeesCommand({ MeetingId, NextToken: first.NextToken }));
    expect(rest.NextToken).toBeUndefined();
    const listed = [...(first.Attendees ?? []), ...(rest.Attendees ?? [])];
    expect(new Set(listed.map(idOf))).toEqual(new Set(Attendees.map(idOf)));

    await client.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
    expect(await call(server, "", "meetings/tokens/checkJoinToken", { token: Attendee?.JoinToken })).toEqual({
      active: false,
      reason: "revoked",
    });
    for (const command of [
      new GetAttendeeCommand({ MeetingId, AttendeeId }),
      new DeleteAttendeeCommand({ MeetingId, AttendeeId }),
    ])
      expect(await thrownBy(client.send(command))).toBeInstanceOf(NotFoundException);
    const { Attendee: back } = await client.send(
      new CreateAttendeeCommand({ MeetingId, ExternalUserId: "ann" }),
    );
    expect(back?.AttendeeId).not.toBe(AttendeeId);
    expect(await everybody(MeetingId)).toHaveLength(3);
  });

  test("get None for what a meeting does not have, and nothing else", async () => {
    const MeetingId = await newChimeMeeting(client, {
      MeetingFeatures: { Video: { MaxResolution: "None" } },
    });
    const bare = await newChimeMeeting(client, {
      MeetingFeatures: { Video: { MaxResolution: "None" }, Content: { MaxResolution: "None" } },
    });
    const create = (id: string, ExternalUserId: string, Capabilities?: object) =>
      client.send(
        new CreateAttendeeCommand({
          MeetingId: id,
          ExternalUserId,
          ...(Capabilities && { Capabilities: Capabilities as typeof ALL }),
        }),
      );
    const viewer = await create(MeetingId, "viewer");
    expect(viewer.Attendee?.Capabilities).toEqual({
      Audio: "SendReceive",
      Video: "Receive",
      Content: "SendReceive",
    });
    const listener = await create(bare, "listener");
    expect(listener.Attendee?.Capabilities).toEqual({ Audio: "SendReceive", Video: "None", Content: "None" });
    for (const [id, given] of [
      [MeetingId, { ...ALL, Video: "Receive" }],
      [bare, { Audio: "None", Video: "None", Content: "Send" }],
    ] as const) {
      const error = await thrownBy(create(id, "camera", given));
      expect(error).toBeInstanceOf(BadRequestException);
      expect(error).toMatchObject({ message: expect.stringContaining("must be None") });
    }
    const sender = await create(MeetingId, "sender", { Audio: "Send", Video: "None", Content: "Send" });
    expect(sender.Attendee?.Capabilities).toEqual({ Audio: "Send", Video: "None", Content: "Send" });
  });

  test("of malformed or unknown names are refused", async () => {
    const MeetingId = await newChimeMeeting(client);
    const cases = [
      [new GetMeetingCommand({ MeetingId: "nonsense" }), BadRequestException],
      [new GetMeetingCommand({ MeetingId: UNKNOWN }), NotFoundException],
      [new GetMeetingCommand({ MeetingId: "k".repeat(32) }), NotFoundException],
      [new GetAttendeeCommand({ MeetingId, AttendeeId: "nonsense" }), BadRequestException],
      [new GetAttendeeCommand({ MeetingId, AttendeeId: UNKNOWN }), NotFoundException],
      [new CreateAttendeeCommand({ MeetingId: UNKNOWN, ExternalUserId: "ann" }), NotFoundException],
      [new ListAttendeesCommand({ MeetingId, MaxResults: 101 }), BadRequestException],
      [new ListAttendeesCommand({ MeetingId, NextToken: "nonsense" }), BadRequestException],
    ] as const;
    for (const [command, kind] of cases)
      expect(await thrownBy(client.send(command as GetMeetingCommand))).toBeInstanceOf(kind);
  });

  test("of one meeting are not found in another", async () => {
    const [one, other] = [await newChimeMeeting(client), await newChimeMeeting(client)];
    const { Attendees = [] } = await createBatch(one, ["ann"]);
    const AttendeeId = Attendees[0]?.AttendeeId;
    for (const command of [
      new GetAttendeeCommand({ MeetingId: other, AttendeeId }),
      new DeleteAttendeeCommand({ MeetingId: other, AttendeeId }),
    ])
      expect(await thrownBy(client.send(command))).toBeInstanceOf(NotFoundException);
    expect(await everybody(one)).toHaveLength(1);
  });
});

describe("the meetings of the Connvo API", () => {
  const organization = { organizationId: "org_connvo", role: "admin" };

  test("are the same meetings, with the same people, for the organization's applications", async () => {
    const app = chimeClient(server, await newCredentials(server, "org_connvo"));
    const host = await signIn(server, "connvo-host", organization);
    const meetingId = await newMeeting(server, host);
    const { Meeting } = await app.send(new GetMeetingCommand({ MeetingId: meetingId }));
    const MeetingId = Meeting?.MeetingId ?? "";
    expect(MeetingId).toMatch(GUID);

    const [hostAttendee] = await everybody(MeetingId, app);
    expect(hostAttendee).toEqual({
      ExternalUserId: expect.stringMatching(GUID),
      AttendeeId: expect.stringMatching(GUID),
      Capabilities: ALL,
    });
    const name = hostAttendee?.ExternalUserId;
    const { Attendee } = await app.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: name }));
    expect(Attendee?.AttendeeId).toBe(hostAttendee?.AttendeeId);

    await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
    await createBatch(MeetingId, ["ann"], app);
    const added = valueOf<{ added: string[]; skipped: { code: string }[] }>(
      await run(
        server.siteUrl,
        "meetings/lifecycle/addMultipleParticipants",
        {
          meetingId,
          participants: [
            { externalId: "ann", role: "participant" },
            { externalId: "an id that is * no ExternalUserId", role: "observer" },
          ],
        },
        host.token,
      ),
    );
    expect(added).toMatchObject({ added: [expect.any(String)], skipped: [{ code: "already_participant" }] });
    const listed = await everybody(MeetingId, app);
    expect(listed).toHaveLength(3);
    expect(listed.map(({ JoinToken }) => typeof JoinToken)).toEqual(["string", "string", "string"]);
    const observer = listed.find(({ Capabilities }) => Capabilities?.Audio === "Receive");
    const again = await app.send(
      new CreateAttendeeCommand({ MeetingId, ExternalUserId: observer?.ExternalUserId }),
    );
    expect(again.Attendee?.AttendeeId).toBe(observer?.AttendeeId);

    const last = await thrownBy(
      app.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId: hostAttendee?.AttendeeId })),
    );
    expect(last).toBeInstanceOf(ForbiddenException);
    await app.send(new DeleteMeetingCommand({ MeetingId }));
    const { state } = await call<{ state: string }>(server, host.token, "meetings/queries/getMeeting", {
      meetingId,
    });
    expect(state).toBe("concluded");
  });

  test("refuse who is banned, and who is named twice by different names", async () => {
    const app = chimeClient(server, await newCredentials(server, "org_connvo"));
    const host = await signIn(server, "connvo-host", organization);
    const zed = await signIn(server, "zed", organization);
    const meetingId = await newMeeting(server, host);
    await call(server, host.token, "meetings/lifecycle/addParticipant", {
      meetingId,
      userId: zed.userId,
      role: "participant",
    });
    const made = (await everybody(meetingId, app)).map(({ ExternalUserId = "" }) => ExternalUserId);
    // From here on the user has an ExternalUserId of the application's, too.
    await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
      meetingId: await newMeeting(server, host),
      participants: [{ externalId: "zed-7", email: "zed@example.com", role: "participant" }],
    });
    const MeetingId = await newChimeMeeting(app);
    const twice = await createBatch(MeetingId, [...made, "zed-7"], app);
    expect(twice.Attendees).toHaveLength(2);
    expect(twice.Errors).toMatchObject([{ ExternalUserId: "zed-7", ErrorCode: "Conflict" }]);

    await call(server, host.token, "meetings/bans/banParticipants", {
      meetingId,
      people: [{ externalId: "zed-7" }],
    });
    const create = new CreateAttendeeCommand({ MeetingId: meetingId, ExternalUserId: "zed-7" });
    expect(await thrownBy(app.send(create))).toBeInstanceOf(ForbiddenException);
    const batch = await createBatch(meetingId, ["ann", "zed-7"], app);
    expect(namesOf(batch.Attendees)).toEqual(["ann"]);
    expect(batch.Errors).toMatchObject([{ ExternalUserId: "zed-7", ErrorCode: "Forbidden" }]);
  });

  test("refuse who is deactivated with 422", async () => {
    const app = chimeClient(server, await newCredentials(server, "org_connvo"));
    const [host, gone] = [
      await signIn(server, "connvo-host", organization),
      await signIn(server, "gone", organization),
    ];
    const meetingId = await newMeeting(server, host);
    await call(server, host.token, "meetings/lifecycle/addParticipant", {
      meetingId,
      userId: gone.userId,
      role: "participant",
    });
    const { Meeting } = await app.send(new GetMeetingCommand({ MeetingId: meetingId }));
    const all = await everybody(Meeting?.MeetingId ?? "", app);
    const { Attendee: hostAgain } = await app.send(
      new GetAttendeeCommand({ MeetingId: meetingId, AttendeeId: all[0]?.AttendeeId }),
    );
    expect(hostAgain?.AttendeeId).toBe(all[0]?.AttendeeId);
    await call(server, gone.token, "users/mutations/deactivateUser", { userId: gone.userId });
    const outcomes = await Promise.allSettled(
      all.map(({ ExternalUserId }) =>
        app.send(new CreateAttendeeCommand({ MeetingId: meetingId, ExternalUserId })),
      ),
    );
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as unknown] : [],
    );
    expect(refused).toHaveLength(1);
    expect(refused[0]).toBeInstanceOf(UnprocessableEntityException);
    expect(refused[0]).toMatchObject({ message: "User is deactivated" });
  });
});

describe("the client's retries", () => {
  test("add nobody twice and make no meeting twice, whether the request or the answer was lost", async () => {
    const proxy = await startUnsteadyProxy(server.siteUrl, [
      ...(["lost", "unanswered", "answered"] as const),
      ...(["unanswered", "lost", "answered"] as const),
      "unanswered",
    ]);
    try {
      const flaky = chimeClient({ siteUrl: proxy.origin }, key);
      const made = await flaky.send(
        new CreateMeetingCommand({
          ClientRequestToken: undefined,
          MediaRegion: "us-east-1",
          ExternalMeetingId: "planning",
        }),
      );
      expect(made.$metadata.attempts).toBe(3);
      const MeetingId = made.Meeting?.MeetingId ?? "";
      const added = await createBatch(MeetingId, ["ann", "bob"], flaky);
      expect(added.$metadata.attempts).toBe(3);
      expect(added.Attendees?.map(idOf)).toEqual(
        (await createBatch(MeetingId, ["ann", "bob"])).Attendees?.map(idOf),
      );
      const AttendeeId = added.Attendees?.[0]?.AttendeeId;
      const removed = await flaky.send(new DeleteAttendeeCommand({ MeetingId, AttendeeId }));
      expect(removed.$metadata.attempts).toBe(2);
      expect(namesOf(await everybody(MeetingId))).toEqual(["bob"]);
    } finally {
      proxy.close();
    }
  });

  test("wait for as long as a caller who is too fast has to", async () => {
    const limited = await startDialectServer({ RATE_LIMIT_PER_SECOND: "2" });
    const limitedKey = await newCredentials(limited);
    const impatient = chimeClient(limited, limitedKey, { maxAttempts: 1 });
    const patient = chimeClient(limited, limitedKey, { maxAttempts: 5 });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => newChimeMeeting(impatient)));
    const [error] = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as unknown] : [],
    );
    expect(error).toBeInstanceOf(ThrottlingException);
    expect(await newChimeMeeting(patient)).toMatch(GUID);
    expect(limited.faults).toEqual([]);
  });
});

test("tenants know nothing of one another's meetings, and their users of one name are others", async () => {
  const other = chimeClient(server, await newCredentials(server, "other"));
  const MeetingId = await newChimeMeeting(client);
  const { Attendees = [] } = await createBatch(MeetingId, ["ann"]);
  const AttendeeId = Attendees[0]?.AttendeeId;
  for (const command of [
    new GetMeetingCommand({ MeetingId }),
    new DeleteMeetingCommand({ MeetingId }),
    new ListAttendeesCommand({ MeetingId }),
    new GetAttendeeCommand({ MeetingId, AttendeeId }),
    new DeleteAttendeeCommand({ MeetingId, AttendeeId }),
    new CreateAttendeeCommand({ MeetingId, ExternalUserId: "mallory" }),
    new BatchCreateAttendeeCommand({ MeetingId, Attendees: users(["mallory"]) }),
  ])
    expect(await thrownBy(other.send(command as GetMeetingCommand))).toBeInstanceOf(NotFoundException);
  expect(namesOf(await everybody(MeetingId))).toEqual(["ann"]);
  const own = await newChimeMeeting(other);
  expect((await createBatch(own, ["ann"], other)).Attendees?.map(idOf)).not.toContain(AttendeeId);
});

test("meetings and join tokens are those of the media server, if there is one", async () => {
  const url = "ws://127.0.0.1:1";
  const secret = "secret".repeat(8);
  const media = await startDialectServer({
    LIVEKIT_URL: url,
    LIVEKIT_API_KEY: "media",
    LIVEKIT_API_SECRET: secret,
  });
  const app = chimeClient(media, await newCredentials(media));
  const MeetingId = await newChimeMeeting(app);
  const { Meeting } = await app.send(new GetMeetingCommand({ MeetingId }));
  expect(Meeting?.MediaPlacement).toEqual({ AudioHostUrl: url, AudioFallbackUrl: url, SignalingUrl: url });
  const { Attendee } = await app.send(new CreateAttendeeCommand({ MeetingId, ExternalUserId: "ann" }));
  const { video } = await new TokenVerifier("media", secret).verify(Attendee?.JoinToken ?? "");
  expect(video).toMatchObject({ roomJoin: true, room: expect.stringMatching(/^[a-z0-9]{32}$/) });
});

test("an endpoint may have a slash at its end, and nothing more", async () => {
  const elsewhere = (path: string) => chimeClient(server, key, { endpoint: server.siteUrl + path });
  const MeetingId = await newChimeMeeting(elsewhere("/chime/"));
  expect(await everybody(MeetingId, elsewhere("/chime/"))).toEqual([]);
  for (const path of ["/chime/acme", "/chime/meetings"])
    expect(await thrownBy(newChimeMeeting(elsewhere(path)))).toMatchObject({
      name: "UnknownOperationException",
    });
});

test("a key that is revoked is good for nothing from then on", async () => {
  const short = await newCredentials(server, "short-lived");
  const app = chimeClient(server, short);
  await newChimeMeeting(app);
  await asAdmin(server, "credentials:revoke", { tenant: "short-lived", accessKeyId: short.accessKeyId });
  expect(await thrownBy(newChimeMeeting(app))).toMatchObject({ name: "UnauthorizedException" });
});
