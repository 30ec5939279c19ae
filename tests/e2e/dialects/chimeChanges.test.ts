/** What Amazon's client changes of meetings and attendees that are there: capabilities, transcription, tags. */
import {
  type AttendeeCapabilities,
  BadRequestException,
  BatchCreateAttendeeCommand,
  BatchUpdateAttendeeCapabilitiesExceptCommand,
  type ChimeSDKMeetingsClient,
  CreateAttendeeCommand,
  DeleteMeetingCommand,
  GetMeetingCommand,
  ListAttendeesCommand,
  ListTagsForResourceCommand,
  NotFoundException,
  ResourceNotFoundException,
  StartMeetingTranscriptionCommand,
  StopMeetingTranscriptionCommand,
  TagResourceCommand,
  TooManyTagsException,
  type TranscriptionConfiguration,
  UnprocessableEntityException,
  UntagResourceCommand,
  UpdateAttendeeCapabilitiesCommand,
} from "@aws-sdk/client-chime-sdk-meetings";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { call, newMeeting, signIn, type TestServer } from "../server";
import { chimeClient, newChimeMeeting, thrownBy } from "./chimeClient";
import { newCredentials, startDialectServer } from "./tenant";

const UNKNOWN = "12345678-1234-1234-1234-123456789012";
const ALL = { Audio: "SendReceive", Video: "SendReceive", Content: "SendReceive" } as const;
const MUTED = { Audio: "Receive", Video: "Receive", Content: "None" } as const;

let server: TestServer;
let client: ChimeSDKMeetingsClient;

beforeAll(async () => {
  server = await startDialectServer();
  client = chimeClient(server, await newCredentials(server));
});

afterEach(() => {
  expect(server.faults).toEqual([]);
});

/** A meeting with three people in it, and their AttendeeIds. */
async function withThree(input: object = {}) {
  const MeetingId = await newChimeMeeting(client, input);
  const Attendees = ["ann", "bob", "cy"].map((ExternalUserId) => ({ ExternalUserId }));
  const made = await client.send(new BatchCreateAttendeeCommand({ MeetingId, Attendees }));
  return { MeetingId, ids: made.Attendees?.map(({ AttendeeId }) => AttendeeId ?? "") ?? [] };
}

async function capabilitiesIn(MeetingId: string) {
  const { Attendees = [] } = await client.send(new ListAttendeesCommand({ MeetingId }));
  return Object.fromEntries(Attendees.map((attendee) => [attendee.ExternalUserId, attendee.Capabilities]));
}

describe("capabilities", () => {
  const update = (MeetingId: string, AttendeeId: string, Capabilities: AttendeeCapabilities) =>
    client.send(new UpdateAttendeeCapabilitiesCommand({ MeetingId, AttendeeId, Capabilities }));

  test("of one person are changed, and the token that said others is dead", async () => {
    const { MeetingId, ids } = await withThree();
    const create = new CreateAttendeeCommand({ MeetingId, ExternalUserId: "ann" });
    const { Attendee: before } = await client.send(create);
    const { Attendee } = await update(MeetingId, ids[0] ?? "", MUTED);
    expect(Attendee).toMatchObject({ ExternalUserId: "ann", AttendeeId: ids[0], Capabilities: MUTED });
    const check = (token: string | undefined) =>
      call(server, "", "meetings/tokens/checkJoinToken", { token });
    expect(await check(before?.JoinToken)).toEqual({ active: false, reason: "revoked" });
    expect(await check(Attendee?.JoinToken)).toMatchObject({
      active: true,
      capabilities: { audio: "Receive", video: "Receive", content: "None" },
    });
    expect(await capabilitiesIn(MeetingId)).toEqual({ ann: MUTED, bob: ALL, cy: ALL });
    // The second time that somebody is created they stay as they are.
    const again = await client.send(
      new CreateAttendeeCommand({ MeetingId, ExternalUserId: "ann", Capabilities: ALL }),
    );
    expect(again.Attendee?.Capabilities).toEqual(MUTED);
  });

  test("of everybody but those who are named are changed at once", async () => {
    const { MeetingId, ids } = await withThree();
    const except = (excluded: readonly string[], Capabilities: AttendeeCapabilities = MUTED) =>
      client.send(
        new BatchUpdateAttendeeCapabilitiesExceptCommand({
          MeetingId,
          ExcludedAttendeeIds: excluded.map((AttendeeId) => ({ AttendeeId })),
          Capabilities,
        }),
      );
    expect((await except([ids[1] ?? ""])).$metadata.httpStatusCode).toBe(200);
    expect(await capabilitiesIn(MeetingId)).toEqual({ ann: MUTED, bob: ALL, cy: MUTED });

    expect(await thrownBy(except([ids[0] ?? "", UNKNOWN], ALL))).toBeInstanceOf(NotFoundException);
    expect(await thrownBy(except([], ALL))).toBeInstanceOf(BadRequestException);
    const tooMany = Array.from({ length: 251 }, () => UNKNOWN);
    expect(await thrownBy(except(tooMany, ALL))).toBeInstanceOf(BadRequestException);
    expect(await capabilitiesIn(MeetingId)).toEqual({ ann: MUTED, bob: ALL, cy: MUTED });
  });

  test("of everybody at once are changed among a thousand people, and not among more", async () => {
    const app = chimeClient(server, await newCredentials(server, "org_large"));
    const host = await signIn(server, "large-host", { organizationId: "org_large" });
    const MeetingId = await newMeeting(server, host, { maxParticipants: 2000 });
    const participants = Array.from({ length: 999 }, (_, index) => ({
      externalId: `person-${index}`,
      role: "participant",
    }));
    const add = (people: object[]) =>
      call(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
        meetingId: MeetingId,
        participants: people,
      });
    await add(participants);
    const { Attendees = [] } = await app.send(new ListAttendeesCommand({ MeetingId, MaxResults: 1 }));
    const command = new BatchUpdateAttendeeCapabilitiesExceptCommand({
      MeetingId,
      ExcludedAttendeeIds: [{ AttendeeId: Attendees[0]?.AttendeeId }],
      Capabilities: MUTED,
    });
    expect((await app.send(command)).$metadata.httpStatusCode).toBe(200);
    await add([{ externalId: "one-more", role: "participant" }]);
    expect(await thrownBy(app.send(command))).toBeInstanceOf(BadRequestException);
  });

  test("that cannot be are refused", async () => {
    const { MeetingId, ids } = await withThree({ MeetingFeatures: { Content: { MaxResolution: "None" } } });
    const [ann = ""] = ids;
    for (const given of [
      ALL,
      { Audio: "Send", Video: "Send" },
      { Audio: "Send", Video: "None", Content: "Receive" },
    ]) {
      const error = await thrownBy(update(MeetingId, ann, given as AttendeeCapabilities));
      expect(error).toBeInstanceOf(BadRequestException);
    }
    expect(await thrownBy(update(MeetingId, UNKNOWN, MUTED))).toBeInstanceOf(NotFoundException);
    expect((await capabilitiesIn(MeetingId))["ann"]).toEqual({ ...ALL, Content: "None" });
  });
});

describe("transcription", () => {
  const english = { EngineTranscribeSettings: { LanguageCode: "en-US" } } as const;
  const start = (MeetingId: string, configuration: TranscriptionConfiguration) =>
    client.send(
      new StartMeetingTranscriptionCommand({ MeetingId, TranscriptionConfiguration: configuration }),
    );
  const stop = (MeetingId: string) => client.send(new StopMeetingTranscriptionCommand({ MeetingId }));

  test("is started and stopped, as often as one likes", async () => {
    const MeetingId = await newChimeMeeting(client);
    for (const step of [
      () => stop(MeetingId),
      () => start(MeetingId, english),
      () => start(MeetingId, english),
      () =>
        start(MeetingId, {
          EngineTranscribeMedicalSettings: {
            LanguageCode: "en-US",
            Specialty: "CARDIOLOGY",
            Type: "DICTATION",
          },
        }),
      () => stop(MeetingId),
    ])
      expect((await step()).$metadata.httpStatusCode).toBe(200);
  });

  test("needs one engine and one way to know the language", async () => {
    const MeetingId = await newChimeMeeting(client);
    for (const configuration of [
      {},
      { EngineTranscribeSettings: {} },
      { EngineTranscribeSettings: { LanguageCode: "en-US", IdentifyLanguage: true } },
      {
        ...english,
        EngineTranscribeMedicalSettings: { LanguageCode: "en-US", Specialty: "UROLOGY", Type: "DICTATION" },
      },
    ] as const)
      expect(await thrownBy(start(MeetingId, configuration))).toBeInstanceOf(BadRequestException);
  });

  test("of a meeting that has not begun or is over is refused; hosts see in the events that it was asked for", async () => {
    const app = chimeClient(server, await newCredentials(server, "org_transcribed"));
    const host = await signIn(server, "host", { organizationId: "org_transcribed" });
    const meetingId = await newMeeting(server, host);
    const command = new StartMeetingTranscriptionCommand({
      MeetingId: meetingId,
      TranscriptionConfiguration: english,
    });
    expect(await thrownBy(app.send(command))).toBeInstanceOf(UnprocessableEntityException);
    await call(server, host.token, "meetings/lifecycle/startMeeting", { meetingId });
    await app.send(command);
    const { page } = await call<{ page: { type: string; changes: object[] }[] }>(
      server,
      host.token,
      "meetings/queries/listMeetingEvents",
      { meetingId, paginationOpts: { numItems: 100, cursor: null } },
    );
    expect(page.find(({ type }) => type === "meeting.updated")?.changes).toEqual([
      { subject: meetingId, before: { transcription: null }, after: { transcription: english } },
    ]);
    await app.send(new DeleteMeetingCommand({ MeetingId: meetingId }));
    expect(await thrownBy(app.send(command))).toBeInstanceOf(NotFoundException);
  });
});

describe("tags", () => {
  async function newResource(input: object = {}): Promise<string> {
    const MeetingId = await newChimeMeeting(client, input);
    const { Meeting } = await client.send(new GetMeetingCommand({ MeetingId }));
    return Meeting?.MeetingArn ?? "";
  }
  const tagsOf = async (ResourceARN: string) =>
    (await client.send(new ListTagsForResourceCommand({ ResourceARN }))).Tags;
  const numbered = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => ({ Key: `key ${from + index}`, Value: "v" }));

  test("are given with the meeting, added, replaced and taken away", async () => {
    const ResourceARN = await newResource({ Tags: [{ Key: "team", Value: "blue" }] });
    const Tags = [
      { Key: "team", Value: "red" },
      { Key: "cost", Value: "" },
    ];
    const { $metadata } = await client.send(new TagResourceCommand({ ResourceARN, Tags }));
    expect($metadata.httpStatusCode).toBe(204);
    expect(await tagsOf(ResourceARN)).toEqual(Tags);
    await client.send(new UntagResourceCommand({ ResourceARN, TagKeys: ["team", "nothing"] }));
    expect(await tagsOf(ResourceARN)).toEqual([{ Key: "cost", Value: "" }]);
  });

  test("are fifty at most", async () => {
    const ResourceARN = await newResource();
    await client.send(new TagResourceCommand({ ResourceARN, Tags: numbered(0, 50) }));
    const one = new TagResourceCommand({ ResourceARN, Tags: numbered(50, 51) });
    expect(await thrownBy(client.send(one))).toBeInstanceOf(TooManyTagsException);
    await client.send(new TagResourceCommand({ ResourceARN, Tags: numbered(49, 50) }));
    const tooMany = new TagResourceCommand({ ResourceARN, Tags: numbered(0, 51) });
    expect(await thrownBy(client.send(tooMany))).toBeInstanceOf(BadRequestException);
    expect(await tagsOf(ResourceARN)).toHaveLength(50);
  });

  test("of what is not there, or another tenant's, are not found", async () => {
    const own = await newResource();
    const other = chimeClient(server, await newCredentials(server, "other"));
    const unknown = own.replace(/[^/]*$/, UNKNOWN);
    const Tags = numbered(0, 1);
    for (const [by, ResourceARN] of [
      [client, unknown],
      [client, "arn:aws:s3:::bucket"],
      [other, own],
    ] as const) {
      for (const command of [
        new ListTagsForResourceCommand({ ResourceARN }),
        new TagResourceCommand({ ResourceARN, Tags }),
        new UntagResourceCommand({ ResourceARN, TagKeys: ["key 0"] }),
      ])
        expect(await thrownBy(by.send(command as TagResourceCommand))).toBeInstanceOf(
          ResourceNotFoundException,
        );
    }
    const malformed = new ListTagsForResourceCommand({ ResourceARN: "no arn" });
    expect(await thrownBy(client.send(malformed))).toBeInstanceOf(BadRequestException);
  });
});
