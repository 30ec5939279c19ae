/** One meeting, to which applications add people over several wires at once, while its host does with the Convex client. */
import { BatchCreateAttendeeCommand, ListAttendeesCommand } from "@aws-sdk/client-chime-sdk-meetings";
import { ConvexHttpClient } from "convex/browser";
import { RoomServiceClient } from "livekit-server-sdk";
import { expect, test } from "vitest";
import { api } from "../../../convex/_generated/api";
import { call, getMeeting, listParticipants, signIn } from "../server";
import { ChalkClient } from "./chalkClient";
import { chimeClient } from "./chimeClient";
import { HuaweiClient } from "./huaweiClient";
import { newCredentials, startDialectServer } from "./tenant";
import { sdkClient } from "./volcengineClient";

const TENANT = "org_cross";
const systems = ["huawei", "chime", "chalk", "convex", "volcengine"];
const SHARED = ["7001", "7002"];
/** Ids of the people whom a system adds: digits alone, as Volcengine has them. Every system adds those that are shared. */
const names = (system: string) => [
  ...Array.from({ length: 10 }, (_, index) => String(1000 * (systems.indexOf(system) + 1) + index)),
  ...SHARED,
];

interface Listed {
  external_user_id?: string | null;
  cloudflare_participant_id: string;
}

test("people who are added over all wires at once are there once, and every wire shows the same people", async () => {
  const server = await startDialectServer();
  const credentials = await newCredentials(server, TENANT);
  const host = await signIn(server, "host", { organizationId: TENANT });
  const huawei = new HuaweiClient(server, credentials);
  await huawei.login();
  const control = await huawei.open();
  const meetingId = control.conference.confUUID as never;
  await control.invite({ name: "host", email: "host@example.com", role: 1 });

  const chime = chimeClient(server, credentials);
  const chalk = ChalkClient.withKey(server, credentials.chalkApiKey);
  const livekit = new RoomServiceClient(server.siteUrl, credentials.accessKeyId, credentials.secretAccessKey);
  const convex = new ConvexHttpClient(server.url);
  convex.setAuth(host.token);
  // Volcengine knows a meeting from elsewhere by somebody who is in it.
  const [first = ""] = SHARED;
  await chalk.call("POST", `/rooms/${String(meetingId)}/participants/bulk`, {
    participants: [{ display_name: first, external_user_id: first }],
  });
  const volcengine = sdkClient(server.siteUrl, credentials);
  const ofConversation = async (action: string, body: object) => {
    const { Result = {} } = await volcengine(action, { AppId: 1, Operator: Number(first), ...body });
    return Result;
  };
  const { ConversationInfos } = await ofConversation("GetUserConversations", {
    ParticipantUserId: Number(first),
    Cursor: 0,
    Limit: 20,
  });
  const [{ ConversationShortId } = { ConversationShortId: 0 }] = ConversationInfos as {
    ConversationShortId: number;
  }[];
  await Promise.all([
    ofConversation("BatchAddConversationParticipant", {
      ConversationShortId,
      ParticipantInfos: names("volcengine").map((name) => ({ ParticipantUserId: Number(name) })),
    }),
    control.invite(...names("huawei").map((name) => ({ name, accountId: name }))),
    chime.send(
      new BatchCreateAttendeeCommand({
        MeetingId: meetingId,
        Attendees: names("chime").map((ExternalUserId) => ({ ExternalUserId })),
      }),
    ),
    chalk.call("POST", `/rooms/${String(meetingId)}/participants/bulk`, {
      participants: names("chalk").map((name) => ({ display_name: name, external_user_id: name })),
    }),
    convex.mutation(api.meetings.lifecycle.addMultipleParticipants, {
      meetingId,
      participants: names("convex").map((externalId) => ({ externalId, role: "participant" as const })),
    }),
  ]);

  const everybody = [...new Set(systems.flatMap(names))].toSorted();
  expect((await getMeeting(server, host, meetingId)).participantCount).toBe(everybody.length + 1);
  const { participants } = await chalk.call<{ participants: Listed[] }>(
    "GET",
    `/rooms/${String(meetingId)}/participants`,
  );
  expect(participants.flatMap(({ external_user_id: id }) => id ?? []).toSorted()).toEqual(everybody);
  const { Attendees = [] } = await chime.send(
    new ListAttendeesCommand({ MeetingId: meetingId, MaxResults: 100 }),
  );
  expect(
    Attendees.flatMap(({ ExternalUserId = "" }) =>
      everybody.includes(ExternalUserId) ? ExternalUserId : [],
    ).toSorted(),
  ).toEqual(everybody);
  expect(Attendees).toHaveLength(everybody.length + 1);
  const onLivekit = (await livekit.listParticipants(meetingId)).map(({ identity }) => identity);
  expect(onLivekit.toSorted()).toEqual(
    participants.map(({ cloudflare_participant_id: id }) => id).toSorted(),
  );

  const { Participants } = await ofConversation("ScanConversationParticipantList", {
    ConversationShortId,
    Cursor: 0,
    Limit: 100,
  });
  const onVolcengine = (Participants as { ParticipantUserId: number }[]).map((one) =>
    String(one.ParticipantUserId),
  );
  expect(onVolcengine).toHaveLength(everybody.length + 1);
  expect(onVolcengine.filter((id) => everybody.includes(id)).toSorted()).toEqual(everybody);

  const { data } = await huawei.manage<{ data: { participant_id: string; account: string }[] }>(
    "GET",
    "/online/conf-attendee",
    { conf_id: control.id, limit: 500 },
  );
  expect(data.map(({ participant_id: id }) => id).toSorted()).toEqual(onLivekit.toSorted());
  const onHuawei = data.map(({ account }) => account);
  expect(onHuawei.filter((id) => everybody.includes(id)).toSorted()).toEqual(everybody);

  const onConnvo = await listParticipants(server, host, meetingId);
  expect(onConnvo.map(({ _id: id }) => id).toSorted()).toEqual(onLivekit.toSorted());

  const { page } = await call<{ page: { type: string; changes: { subject: string }[] }[] }>(
    server,
    host.token,
    "meetings/queries/listMeetingEvents",
    { meetingId, paginationOpts: { numItems: 100, cursor: null } },
  );
  const added = page.flatMap(({ type, changes }) =>
    type === "participants.added" ? changes.map(({ subject }) => subject) : [],
  );
  expect(added.toSorted()).toEqual(onLivekit.toSorted());
  expect(server.faults).toEqual([]);
});
