import { randomBytes } from "node:crypto";
import rateLimiter from "@convex-dev/rate-limiter/test";
import fc from "fast-check";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { internal } from "../../../convex/_generated/api";
import type { Doc } from "../../../convex/_generated/dataModel";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import schema from "../../../convex/schema";
import { convexTest } from "../../../embedded/convexTest";
import { call as connvo, newMeeting, signIn, type TestServer } from "../server";
import { ChalkClient } from "./chalkClient";
import { asAdmin, newCredentials, startDialectServer } from "./tenant";
import { goRequest, sdkClient, send, signedUrl, timeNow, type VolcengineAnswer } from "./volcengineClient";

let server: TestServer;
let credentials: NewCredentials;
let call: ReturnType<typeof sdkClient>;

beforeAll(async () => {
  server = await startDialectServer();
  credentials = await newCredentials(server);
  const sdk = sdkClient(server.siteUrl, credentials);
  let calls = 0;
  // Requests of one second that are the same have the same signature, as if they were one that is sent again.
  call = (action, body) => sdk(action, { ...body, CallOfTest: ++calls });
});

afterEach(() => {
  vi.unstubAllEnvs();
  expect(server.faults).toEqual([]);
});

function resultOf({ ResponseMetadata, Result }: VolcengineAnswer): Record<string, unknown> {
  expect(ResponseMetadata.Error).toBeUndefined();
  return Result as Record<string, unknown>;
}

const codeOf = ({ ResponseMetadata: { Error } }: VolcengineAnswer) => Error?.Code;

const OWNER = 10001;

/** A conversation of {@link OWNER}; its ConversationShortId. */
async function newConversation(ConversationType = 2, more: object = {}): Promise<number> {
  const created = resultOf(
    await call("CreateConversation", {
      AppId: 1,
      ConversationCoreInfo: { ConversationType, Name: "Planning" },
      OwnerUserId: OWNER,
      ...more,
    }),
  );
  return created["ConversationShortId"] as number;
}

const add = (ConversationShortId: number | string, ids: (number | string)[], more: object = {}) =>
  call("BatchAddConversationParticipant", {
    AppId: 1,
    ConversationShortId,
    Operator: OWNER,
    ParticipantInfos: ids.map((ParticipantUserId) => ({ ParticipantUserId })),
    ...more,
  });

interface Member {
  ParticipantUserId: number;
  ParticipantUserIdStr?: string;
  [field: string]: unknown;
}

async function members(ConversationShortId: number, more: object = {}): Promise<Member[]> {
  const { Participants } = resultOf(
    await call("ScanConversationParticipantList", {
      AppId: 1,
      ConversationShortId,
      Cursor: 0,
      Limit: 1000,
      ...more,
    }),
  );
  return Participants as Member[];
}

const SEED_BODY = `{
    "AppId":000000,
    "ConversationShortId":000001,
    "Operator":10001,
    "ParticipantInfos":[
        {
            "ParticipantUserId":10001,
            "Level":1,
            "NickName":"Your_NickName",
            "Role":1,
            "Ext":{
                "key":"value"
            },
            "ReadIndex":0
        },
        {
            "ParticipantUserId":10002,
            "Level":20,
            "NickName":"NickName2",
            "Role":0,
            "Ext":{
                "key":"value"
            },
            "ReadIndex":0
        }
    ]
}`;

test("the request of the vendor's page, zeros before its numbers included, gets the answer of that page", async () => {
  const id = await newConversation();
  const body = SEED_BODY.replace("000001", `000${id}`);
  const { status, body: answer } = await send(
    goRequest(server.siteUrl, "BatchAddConversationParticipant", body, credentials),
  );
  expect(status).toBe(200);
  expect(answer).toEqual({
    ResponseMetadata: {
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      Action: "BatchAddConversationParticipant",
      Version: "2020-12-01",
      Service: "rtc",
      Region: "cn-north-1",
    },
    Result: { FailedUserIds: [] },
  });
  const both = { ConversationShortId: id, Ext: { key: "value" }, Status: 0, BlockTime: 0, Operator: 0 };
  expect(await members(id)).toMatchObject([
    { ...both, ParticipantUserId: 10001, Level: 1, NickName: "Your_NickName", Role: 1 },
    { ...both, ParticipantUserId: 10002, Level: 20, NickName: "NickName2", Role: 0 },
  ]);

  const unknown = await send(
    goRequest(server.siteUrl, "BatchAddConversationParticipant", SEED_BODY, credentials),
  );
  expect([unknown.status, codeOf(unknown.body)]).toEqual([404, "InvalidParameter.NotExistConversation"]);
});

test("conversations are made, found, changed and destroyed", async () => {
  const request = {
    AppId: 7,
    ConversationCoreInfo: {
      ConversationType: 2,
      Name: "Team",
      AvatarUrl: "http://example.com/a.png",
      Description: "Of us",
      Notice: "Be there",
      Ext: { color: "red" },
    },
    OwnerUserId: 5,
    IdempotentId: "team-1",
    InboxType: 3,
  };
  const first = resultOf(await call("CreateConversation", request));
  const again = resultOf(await call("CreateConversation", { ...request, OwnerUserId: 6 }));
  expect([first["Exist"], again["Exist"]]).toEqual([false, true]);
  expect(again["ConversationShortId"]).toBe(first["ConversationShortId"]);
  expect(first["ConversationId"]).toBe(String(first["ConversationShortId"]));
  const id = first["ConversationShortId"] as number;
  expect(Number.isSafeInteger(id)).toBe(true);
  expect(first["ConversationInfo"]).toMatchObject({
    AppId: 7,
    ConversationShortId: id,
    ConversationType: 2,
    InboxType: 3,
    Name: "Team",
    AvatarUrl: "http://example.com/a.png",
    Description: "Of us",
    Notice: "Be there",
    Ext: { color: "red" },
    OwnerUserId: 5,
    CreatorUserId: 5,
    MemberCount: 1,
    Status: 0,
  });

  await add(id, [6]);
  const change = (info: object) =>
    call("ModifyConversation", { AppId: 7, ConversationCoreInfo: { ConversationShortId: id, ...info } });
  expect(codeOf(await change({ OwnerUserId: 99 }))).toBe("InvalidParameter.NotExistParticipant");
  resultOf(await change({ Name: "Crew", Notice: "Done", OwnerUserId: 6 }));
  expect((await members(id)).map((member) => [member.ParticipantUserId, member["Role"]])).toEqual([
    [5, 0],
    [6, 1],
  ]);
  const get = async (more: object = {}) =>
    resultOf(
      await call("BatchGetConversations", { AppId: 7, ConversationShortId: [id, 12345, id], ...more }),
    );
  expect(await get({ SkipMemberCount: false })).toMatchObject({
    ConversationCoreInfos: [
      { Name: "Crew", Notice: "Done", OwnerUserId: 6, CreatorUserId: 5, MemberCount: 2 },
    ],
  });
  expect(await get()).not.toHaveProperty("ConversationCoreInfos.0.MemberCount");

  const destroy = (OwnerUserId: number) =>
    call("DestroyConversation", { AppId: 7, ConversationShortId: id, OwnerUserId });
  expect((await destroy(5)).ResponseMetadata.Error).toMatchObject({ Code: "AccessDenied", CodeN: 100013 });
  resultOf(await destroy(6));
  expect(await get()).toEqual({ ConversationCoreInfos: [] });
  expect(codeOf(await destroy(6))).toBe("InvalidParameter.ConversationDestroyed");
  expect(codeOf(await add(id, [8]))).toBe("InvalidParameter.ConversationDestroyed");
});

test("a person's conversations come in pages, those of an inbox, without those that are over", async () => {
  const OwnerUserId = 777;
  const ids: number[] = [];
  for (const n of [1, 2, 3]) ids.push(await newConversation(n === 3 ? 100 : 2, { OwnerUserId }));
  await newConversation(2, { OwnerUserId, InboxType: 4 });
  const list = async (more: object) => {
    const result = resultOf(
      await call("GetUserConversations", {
        AppId: 1,
        Cursor: 0,
        Limit: 20,
        ParticipantUserId: OwnerUserId,
        ...more,
      }),
    );
    const infos = result["ConversationInfos"] as { ConversationShortId: number }[];
    return { ...result, ids: infos.map(({ ConversationShortId }) => ConversationShortId) };
  };
  expect(await list({ DataType: 1 })).toMatchObject({ ids, HasMore: false, NextCursor: -1 });
  expect(await list({ DataType: 1, Limit: 2 })).toMatchObject({
    ids: ids.slice(0, 2),
    HasMore: true,
    NextCursor: 2,
  });
  expect(await list({ DataType: 1, Limit: 2, Cursor: 2 })).toMatchObject({
    ids: ids.slice(2),
    HasMore: false,
  });
  expect((await list({ DataType: 2 })).ids).toEqual(ids.slice(2));
  await add(ids[0] as number, [778]);
  expect((await list({})).ids[0]).toBe(ids[0]);
  expect((await list({ InboxType: 4 })).ids).toHaveLength(1);
  expect((await list({ ParticipantUserId: 123456 })).ids).toEqual([]);
});

test("a one-to-one conversation is one for two people, whose members stay", async () => {
  const single = (OwnerUserId: number, OtherUserId?: number) =>
    call("CreateConversation", {
      AppId: 1,
      ConversationCoreInfo: { ConversationType: 1 },
      OwnerUserId,
      OtherUserId,
    });
  const first = resultOf(await single(21, 22));
  const again = resultOf(await single(22, 21));
  expect([again["Exist"], again["ConversationShortId"]]).toEqual([true, first["ConversationShortId"]]);
  expect(first["ConversationInfo"]).toMatchObject({ OwnerUserId: 21, OtherUserId: 22, MemberCount: 2 });
  expect(codeOf(await single(23))).toBe("MissingParameter");
  const id = first["ConversationShortId"] as number;
  expect(codeOf(await add(id, [23]))).toBe("InvalidParameter.IllegalConversationType");
  const remove = { AppId: 1, ConversationShortId: id, Operator: 1, ParticipantUserIds: [22] };
  expect(codeOf(await call("BatchDeleteConversationParticipant", remove))).toBe(
    "InvalidParameter.IllegalConversationType",
  );
});

test("two people whose conversation is over get another, but the old one by the IdempotentId that it was made with", async () => {
  const create = async (Name: string, more: object = {}) => {
    const answer = await call("CreateConversation", {
      AppId: 1,
      ConversationCoreInfo: { ConversationType: 1, Name },
      OwnerUserId: 24,
      OtherUserId: 25,
      ...more,
    });
    return resultOf(answer) as { ConversationShortId: number; Exist: boolean };
  };
  const destroy = (ConversationShortId: number) =>
    call("DestroyConversation", { AppId: 1, ConversationShortId, OwnerUserId: 24 });
  const first = await create("First");
  resultOf(await destroy(first.ConversationShortId));
  const second = await create("Second");
  expect(second).toMatchObject({ Exist: false, ConversationInfo: { Name: "Second", Status: 0 } });
  expect(second.ConversationShortId).not.toBe(first.ConversationShortId);
  expect(await create("Second")).toMatchObject({ ...second, Exist: true });

  const chalk = ChalkClient.withKey(server, credentials.chalkApiKey);
  const path = "/rooms?status=scheduled&limit=100";
  const { rooms } = await chalk.call<{ rooms: { id: string; name: string }[] }>("GET", path);
  await chalk.send("DELETE", `/rooms/${rooms.find(({ name }) => name === "Second")?.id}`);
  expect(await create("Third")).toMatchObject({ Exist: false, ConversationInfo: { Name: "Third" } });

  const kept = await create("Kept", { IdempotentId: "kept" });
  resultOf(await destroy(kept.ConversationShortId));
  expect(await create("Kept", { IdempotentId: "kept" })).toMatchObject({
    Exist: true,
    ConversationShortId: kept.ConversationShortId,
    ConversationInfo: { Status: 1 },
  });
});

test("who is named twice, as a number and as a text, is as the later one says", async () => {
  const id = await newConversation();
  const apply = async (action: string, ...ParticipantInfos: object[]) => {
    const request = { AppId: 1, ConversationShortId: id, Operator: OWNER, ParticipantInfos };
    expect(resultOf(await call(action, request))).toEqual({ FailedUserIds: [] });
    return (await members(id))[1];
  };
  const [number, text] = [{ ParticipantUserId: 31 }, { ParticipantUserIdStr: "31" }];
  expect(
    await apply("BatchAddConversationParticipant", { ...number, Level: 1 }, { ...text, Level: 2 }),
  ).toMatchObject({ ParticipantUserId: 31, Level: 2 });
  expect(
    await apply("BatchModifyConversationParticipant", { ...text, Level: 3 }, { ...number, Level: 4 }),
  ).toMatchObject({ ParticipantUserId: 31, Level: 4 });
});

test("the owner may be named by each id that the application has of the same person", async () => {
  const host = await signIn(server, "secretary", { organizationId: "org_owner" });
  await signIn(server, "boss");
  for (const externalId of ["601", "boss"]) {
    await connvo(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
      meetingId: await newMeeting(server, host),
      participants: [{ externalId, email: "boss@example.com", role: "participant" }],
    });
  }
  const client = sdkClient(server.siteUrl, await newCredentials(server, "org_owner"));
  const ConversationCoreInfo = { ConversationType: 2 };
  const made = await client("CreateConversation", { AppId: 1, ConversationCoreInfo, OwnerUserId: 601 });
  const { ConversationShortId } = resultOf(made);
  const names = [
    { ParticipantUserId: 601 },
    { ParticipantUserIdStr: "601" },
    { ParticipantUserIdStr: "boss" },
  ];
  for (const name of names) {
    const ParticipantInfos = [{ ...name, Role: 1 }];
    const request = { AppId: 1, ConversationShortId, Operator: 1, ParticipantInfos };
    expect(resultOf(await client("BatchAddConversationParticipant", request))).toEqual({ FailedUserIds: [] });
  }
});

test("who is there is overwritten, roles that are none are 0, and owner is who owns the conversation", async () => {
  const id = await newConversation();
  const infos = (...ParticipantInfos: object[]) => add(id, [], { ParticipantInfos });
  const first = await infos(
    { ParticipantUserId: 1, NickName: "one", Level: 3, Ext: { a: "b" }, Role: 2 },
    { ParticipantUserId: 2, Role: 9 },
    { ParticipantUserId: 3, Role: 1 },
    { ParticipantUserId: 0 },
    { ParticipantUserId: -4 },
  );
  expect(resultOf(first)).toEqual({ FailedUserIds: [3, 0, -4] });
  expect(
    resultOf(await infos({ ParticipantUserId: 1, NickName: "uno" }, { ParticipantUserId: 1, Level: 4 })),
  ).toEqual({
    FailedUserIds: [],
  });
  expect(await members(id)).toMatchObject([
    { ParticipantUserId: OWNER, Role: 1 },
    { ParticipantUserId: 1, NickName: "uno", Level: 4, Ext: { a: "b" }, Role: 0 },
    { ParticipantUserId: 2, Role: 0 },
  ]);
  resultOf(await infos({ ParticipantUserId: OWNER, Role: 0 }));
  expect((await members(id))[0]).toMatchObject({ ParticipantUserId: OWNER, Role: 1 });
  expect(resultOf(await call("GetConversationUserCount", { AppId: 1, ConversationShortId: id }))).toEqual({
    Count: 3,
  });
});

test("members are changed and blocked, removed and looked up; who fails is named", async () => {
  const id = await newConversation();
  await add(id, [1, 2, 3]);
  const until = Math.floor(Date.now() / 1000) + 3600;
  const modify = (...ParticipantInfos: object[]) =>
    call("BatchModifyConversationParticipant", {
      AppId: 1,
      ConversationShortId: id,
      Operator: OWNER,
      ParticipantInfos,
    });
  expect(
    resultOf(
      await modify(
        { ParticipantUserId: 1, BlockTime: until, Role: 2, NickName: "one" },
        { ParticipantUserId: 2, Role: 1 },
        { ParticipantUserId: 88 },
      ),
    ),
  ).toEqual({ FailedUserIds: [2, 88] });
  const lookUp = async (...ParticipantUserIds: number[]) =>
    resultOf(
      await call("BatchGetConversationParticipant", {
        AppId: 1,
        ConversationShortId: id,
        ParticipantUserIds,
      }),
    )["Participants"] as Member[];
  expect(await lookUp(1, 88, 1)).toMatchObject([
    { ParticipantUserId: 1, BlockTime: until, Role: 2, NickName: "one" },
  ]);
  resultOf(await modify({ ParticipantUserId: 1, BlockTime: 0 }));
  expect(await lookUp(1)).toMatchObject([{ BlockTime: 0, Role: 2 }]);
  expect(
    resultOf(
      await call("BatchDeleteConversationParticipant", {
        AppId: 1,
        ConversationShortId: id,
        Operator: OWNER,
        ParticipantUserIds: [2, 99, OWNER, 2],
      }),
    ),
  ).toEqual({ FailedUserIds: [99, OWNER] });
  const isIn = async (ParticipantUserId: number) =>
    resultOf(await call("IsUserInConversation", { AppId: 1, ConversationShortId: id, ParticipantUserId }));
  expect(await isIn(2)).toEqual({ IsUserInConversation: false });
  expect(await isIn(3)).toEqual({ IsUserInConversation: true });
});

test("members are scanned in pages, either way round, or by their ids alone", async () => {
  const id = await newConversation();
  await add(id, [1, 2, 3, 4]);
  const scan = async (more: object) =>
    resultOf(
      await call("ScanConversationParticipantList", {
        AppId: 1,
        ConversationShortId: id,
        Cursor: 0,
        Limit: 3,
        ...more,
      }),
    );
  const idsOf = ({ Participants }: Record<string, unknown>) =>
    (Participants as Member[]).map(({ ParticipantUserId }) => ParticipantUserId);
  const first = await scan({});
  expect([idsOf(first), first["HasMore"], first["NextCursor"]]).toEqual([[OWNER, 1, 2], true, 3]);
  const second = await scan({ Cursor: 3 });
  expect([idsOf(second), second["HasMore"]]).toEqual([[3, 4], false]);
  expect(second["NextCursor"]).toBeLessThan(0);
  expect(idsOf(await scan({ Reverse: true }))).toEqual([4, 3, 2]);
  expect((await scan({ OnlyUserIds: true }))["Participants"]).toEqual([
    { ParticipantUserId: OWNER },
    { ParticipantUserId: 1 },
    { ParticipantUserId: 2 },
  ]);
  expect(idsOf(await scan({ ScanOnlineParticipant: true }))).toEqual([]);
});

test("a read index goes forward only", async () => {
  const id = await newConversation();
  await add(id, [], { ParticipantInfos: [{ ParticipantUserId: 1, ReadIndex: 5 }, { ParticipantUserId: 2 }] });
  const read = (ParticipantUserId: number, ReadIndex: number) =>
    call("ModifyParticipantReadIndex", { AppId: 1, ConversationShortId: id, ParticipantUserId, ReadIndex });
  resultOf(await read(1, 6));
  expect(codeOf(await read(1, 6))).toBe("InvalidParameter");
  expect(codeOf(await read(3, 1))).toBe("InvalidParameter.NotExistParticipant");
  expect(resultOf(await call("GetParticipantReadIndex", { AppId: 1, ConversationShortId: id }))).toEqual({
    ReadIndexes: [{ ParticipantUserId: 1, ReadIndex: 6 }],
  });
});

test("ids of 64 bits are exact on the wire, as numbers and as texts of digits; ids that are texts have numbers too", async () => {
  const id = await newConversation();
  const body = `{"AppId":1,"ConversationShortId":"${id}","Operator":1,"ParticipantInfos":[
    {"ParticipantUserId":7000000000000000001},{"ParticipantUserId":"7000000000000000002"},{"ParticipantUserId":"0042"}]}`;
  const added = await send(goRequest(server.siteUrl, "BatchAddConversationParticipant", body, credentials));
  expect(added.text).toContain('"FailedUserIds":[]');
  const scan = JSON.stringify({ AppId: 1, ConversationShortId: id, Cursor: 0, Limit: 9, OnlyUserIds: true });
  const { text } = await send(
    goRequest(server.siteUrl, "ScanConversationParticipantList", scan, credentials),
  );
  for (const one of ["7000000000000000001", "7000000000000000002", "42"]) {
    expect(text).toContain(`{"ParticipantUserId":${one}}`);
  }

  await add(id, [], { ParticipantInfos: [{ ParticipantUserIdStr: "ann" }] });
  const ann = (await members(id)).find((member) => member.ParticipantUserIdStr === "ann");
  expect(Number.isSafeInteger(ann?.ParticipantUserId)).toBe(true);
  const byNumber = resultOf(
    await call("BatchDeleteConversationParticipant", {
      AppId: 1,
      ConversationShortId: id,
      Operator: 1,
      ParticipantUserIds: [ann?.ParticipantUserId],
    }),
  );
  expect(byNumber).toEqual({ FailedUserIds: [] });
  const byText = resultOf(
    await call("BatchDeleteConversationParticipant", {
      AppId: 1,
      ConversationShortId: id,
      Operator: 1,
      ParticipantUserIdsStr: ["ann"],
    }),
  );
  expect(byText).toEqual({ FailedUserIds: [], FailedUserIdsStr: ["ann"] });
});

test("a live group has managers, members who may send nothing, and people who may not be in it", async () => {
  const id = await newConversation(100);
  await add(id, [1, 2, 3]);
  const live = (action: string, more: object) =>
    call(action, { AppId: 1, ConversationShortId: id, Operator: OWNER, ...more });
  expect(resultOf(await live("BatchAddManager", { ManagerUserIds: [1, 9, OWNER] }))).toEqual({
    FailedManagerUserIds: [9, OWNER],
  });
  expect((await members(id)).map((member) => [member.ParticipantUserId, member["Role"]])).toEqual([
    [OWNER, 1],
    [1, 2],
  ]);
  expect(resultOf(await live("BatchRemoveManager", { ManagerUserIds: [1, 2] }))).toEqual({
    FailedManagerUserIds: [2],
  });
  const block = (BlockAction: number, ids: Record<string, number>) =>
    live("BatchAddBlockParticipants", { BlockAction, ParticipantBlockInfos: ids });
  const blocked = async (BlockAction: number) =>
    resultOf(await live("BatchGetBlockParticipants", { BlockAction, Cursor: 0, Limit: 20 }))[
      "Participants"
    ] as Member[];
  expect(resultOf(await block(0, { 2: 3600, 77: 60 }))).toEqual({ FailedParticipantUserIds: [77] });
  expect((await blocked(0)).map((member) => member.ParticipantUserId)).toEqual([2]);
  expect(resultOf(await block(1, { 3: 3600, 88: 60 }))).toEqual({ FailedParticipantUserIds: [88] });
  expect((await blocked(1)).map((member) => member.ParticipantUserId)).toEqual([3]);
  expect(resultOf(await add(id, [3]))).toEqual({ FailedUserIds: [3] });
  const free = (BlockAction: number, ParticipantUserIds: number[]) =>
    live("BatchDeleteBlockParticipants", { BlockAction, ParticipantUserIds });
  expect(resultOf(await free(1, [3, 88]))).toEqual({ FailedParticipantUserIds: [88] });
  expect(resultOf(await free(0, [2]))).toEqual({ FailedParticipantUserIds: [] });
  expect([await blocked(0), await blocked(1)]).toEqual([[], []]);
  expect(resultOf(await add(id, [3]))).toEqual({ FailedUserIds: [] });
  const group = await newConversation();
  expect(
    codeOf(
      await call("BatchAddManager", {
        AppId: 1,
        ConversationShortId: group,
        Operator: 1,
        ManagerUserIds: [1],
      }),
    ),
  ).toBe("InvalidParameter.IllegalConversationType");
});

test("people whose ids could not be names of fields are kept silent and out like others", async () => {
  const ConversationShortId = await newConversation(100);
  const names = ["张三", "$bob", " ann", "_".repeat(256)];
  await add(ConversationShortId, [], {
    ParticipantInfos: names.map((ParticipantUserIdStr) => ({ ParticipantUserIdStr })),
  });
  for (const BlockAction of [0, 1]) {
    const request = { AppId: 1, ConversationShortId, BlockAction };
    const ParticipantBlockInfosStr = Object.fromEntries(names.map((name) => [name, 60]));
    const block = await call("BatchAddBlockParticipants", { ...request, ParticipantBlockInfosStr });
    expect(resultOf(block)).toEqual({ FailedParticipantUserIds: [] });
    const blocked = await call("BatchGetBlockParticipants", { ...request, Cursor: 0, Limit: 20 });
    const people = resultOf(blocked)["Participants"] as Member[];
    expect(new Set(people.map((one) => one.ParticipantUserIdStr))).toEqual(
      new Set(names.map((name) => name.trim())),
    );
  }
  const keys = ["部门", "$x", "_x", ""];
  for (const key of keys) {
    const Ext = { [key]: "2" };
    const ParticipantInfos = [{ ParticipantUserId: 1, Ext }];
    expect(codeOf(await add(ConversationShortId, [], { ParticipantInfos }))).toBe("InvalidParameter");
    const ConversationCoreInfo = { ConversationShortId, Ext };
    expect(codeOf(await call("ModifyConversation", { AppId: 1, ConversationCoreInfo }))).toBe(
      "InvalidParameter",
    );
  }
});

test("people for whom there is no place are among those who have failed", async () => {
  const small = "small";
  await asAdmin(server, "tenants/admin:create", { name: small, config: { maxParticipantsPerMeeting: 3 } });
  const client = sdkClient(server.siteUrl, await newCredentials(server, small));
  const { ConversationShortId } = resultOf(
    await client("CreateConversation", {
      AppId: 1,
      ConversationCoreInfo: { ConversationType: 2 },
      OwnerUserId: 1,
    }),
  );
  const request = {
    AppId: 1,
    ConversationShortId,
    Operator: 1,
    ParticipantInfos: [2, 3, 4, 5].map((ParticipantUserId) => ({ ParticipantUserId })),
  };
  expect(resultOf(await client("BatchAddConversationParticipant", request))).toEqual({
    FailedUserIds: [4, 5],
  });
});

test("who is added behind a barrier sees nothing of what was before", async () => {
  const tenant = "org_barrier";
  const host = await signIn(server, "host", { organizationId: tenant });
  const people = [await signIn(server, "early"), await signIn(server, "late")];
  const meetingId = await newMeeting(server, host);
  const add = (id: string, externalId: string, email: string) =>
    connvo(server, host.token, "meetings/lifecycle/addMultipleParticipants", {
      meetingId: id,
      participants: [{ externalId, email, role: "participant" }],
    });
  // Two users whom the application knows by numbers; the second is in another meeting yet.
  await add(meetingId, "501", "early@example.com");
  await add(await newMeeting(server, host), "502", "late@example.com");
  const client = sdkClient(server.siteUrl, await newCredentials(server, tenant));
  const listed = await client("GetUserConversations", {
    AppId: 1,
    Cursor: 0,
    Limit: 20,
    ParticipantUserId: 501,
  });
  const [info] = resultOf(listed)["ConversationInfos"] as { ConversationShortId: number }[];
  const mark = (text: string) =>
    connvo(server, host.token, "meetings/history/addMarker", { meetingId, text });
  await mark("before");
  const request = {
    AppId: 1,
    ConversationShortId: info?.ConversationShortId,
    Operator: 501,
    ParticipantInfos: [{ ParticipantUserId: 502 }],
    Barrier: true,
  };
  expect(resultOf(await client("BatchAddConversationParticipant", request))).toEqual({ FailedUserIds: [] });
  await mark("after");
  const markers = await Promise.all(
    people.map(async ({ token }) => {
      const paginationOpts = { numItems: 10, cursor: null };
      const { page } = await connvo<{ page: { text: string }[] }>(
        server,
        token,
        "meetings/history/listMarkers",
        { meetingId, paginationOpts },
      );
      return page.map(({ text }) => text);
    }),
  );
  expect(markers).toEqual([["before", "after"], ["after"]]);
});

test("a conversation of two people needs places for both", async () => {
  await asAdmin(server, "tenants/admin:create", { name: "lonely", config: { maxParticipantsPerMeeting: 1 } });
  const client = sdkClient(server.siteUrl, await newCredentials(server, "lonely"));
  const { ResponseMetadata } = await client("CreateConversation", {
    AppId: 1,
    ConversationCoreInfo: { ConversationType: 1 },
    OwnerUserId: 1,
    OtherUserId: 2,
  });
  expect(ResponseMetadata.Error).toMatchObject({ Code: "InvalidParameter.UserCountOverLimit" });
});

test("20 clients that add the same people at once add each once", async () => {
  const id = await newConversation();
  const everybody = Array.from({ length: 100 }, (_, index) => index + 1);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, client) => add(id, everybody, { Barrier: client % 2 === 0 })),
  );
  for (const answer of answers) expect(resultOf(answer)).toEqual({ FailedUserIds: [] });
  expect(await members(id)).toHaveLength(101);
  expect(resultOf(await call("GetConversationUserCount", { AppId: 1, ConversationShortId: id }))).toEqual({
    Count: 101,
  });
});

test("the vendor's SDK reaches the wire at the root and below /volc/, whichever path it signs", async () => {
  const id = await newConversation();
  const body = JSON.stringify({ AppId: 1, ConversationShortId: id });
  const below = sdkClient(server.siteUrl, credentials, "/volc/");
  expect(resultOf(await below("GetConversationUserCount", { AppId: 1, ConversationShortId: id }))).toEqual({
    Count: 1,
  });
  const rootSigned = goRequest(server.siteUrl, "GetConversationUserCount", body, {
    ...credentials,
    path: "/volc/",
    signedPath: "/",
  });
  expect((await send(rootSigned)).status).toBe(200);
  const { status, body: byQuery } = await send(
    new Request(signedUrl(server.siteUrl, "GetConversationUserCount", credentials), { method: "POST", body }),
  );
  expect([status, byQuery.Result]).toEqual([200, { Count: 1 }]);
});

test("a request that is caught and sent again does nothing", async () => {
  const id = await newConversation();
  const send2 = (body: object) =>
    goRequest(server.siteUrl, "BatchAddConversationParticipant", JSON.stringify(body), credentials);
  const request = send2({
    AppId: 1,
    ConversationShortId: id,
    Operator: 1,
    ParticipantInfos: [{ ParticipantUserId: 1 }],
  });
  const caught = request.clone();
  expect((await send(request)).status).toBe(200);
  await call("BatchDeleteConversationParticipant", {
    AppId: 1,
    ConversationShortId: id,
    Operator: 1,
    ParticipantUserIds: [1],
  });
  expect((await send(caught)).status).toBe(200);
  expect(await members(id)).toHaveLength(1);

  // The body is not signed here, so that another one could be sent with the same signature.
  const url = signedUrl(server.siteUrl, "BatchAddConversationParticipant", credentials);
  const body = (ParticipantUserId: number) =>
    JSON.stringify({
      AppId: 1,
      ConversationShortId: id,
      Operator: 1,
      ParticipantInfos: [{ ParticipantUserId }],
    });
  const sent = await send(new Request(url, { method: "POST", body: body(5) }));
  const other = await send(new Request(url, { method: "POST", body: body(6) }));
  expect([sent.status, other.status, codeOf(other.body)]).toEqual([200, 401, "SignatureDoesNotMatch"]);
  expect((await members(id)).map((member) => member.ParticipantUserId)).toEqual([OWNER, 5]);
});

test("other tenants' conversations are unknown", async () => {
  const id = await newConversation();
  const stranger = sdkClient(server.siteUrl, await newCredentials(server, "globex"));
  const count = await stranger("GetConversationUserCount", { AppId: 1, ConversationShortId: id });
  expect(codeOf(count)).toBe("InvalidParameter.NotExistConversation");
  const get = await stranger("BatchGetConversations", { AppId: 1, ConversationShortId: [id] });
  expect(resultOf(get)).toEqual({ ConversationCoreInfos: [] });
});

const BODY = JSON.stringify({ AppId: 1, ConversationShortId: 1 });

function edited(change: (request: Request) => Request): Request {
  return change(goRequest(server.siteUrl, "GetConversationUserCount", BODY, credentials));
}

function withAuthorization(change: (authorization: string) => string | null): Request {
  return edited((request) => {
    const authorization = change(request.headers.get("Authorization") ?? "");
    if (authorization === null) request.headers.delete("Authorization");
    else request.headers.set("Authorization", authorization);
    return request;
  });
}

const signedBy = (more: object, action = "GetConversationUserCount", body = BODY) =>
  goRequest(server.siteUrl, action, body, { ...credentials, ...more });

test.each<[string, number, number | undefined, () => Request]>([
  ["MissingParameter", 400, 100002, () => new Request(`${server.siteUrl}/?Action=X`, { method: "POST" })],
  ["MissingParameter", 400, 100002, () => signedBy({}, undefined, '{"AppId":1}')],
  ["MissingAuthenticationToken", 401, 100003, () => withAuthorization(() => null)],
  ["MissingAuthenticationToken", 401, 100003, () => withAuthorization(() => "Bearer x")],
  ["MissingRequestInfo", 400, 100004, () => withAuthorization((it) => it.replace("/rtc/request", ""))],
  [
    "MissingRequestInfo",
    400,
    100004,
    () => withAuthorization((it) => it.replace(/SignedHeaders=[^,]+, /, "")),
  ],
  ["MissingSignature", 401, 100005, () => withAuthorization((it) => it.replace(/, Signature=.*/, ""))],
  ["InvalidTimestamp", 403, 100006, () => signedBy({ time: timeNow(-16 * 60_000) })],
  ["InvalidTimestamp", 403, 100006, () => signedBy({ time: timeNow(16 * 60_000) })],
  ["InvalidTimestamp", 403, 100006, () => signedBy({ time: "yesterday" })],
  ["ServiceNotFound", 404, 100007, () => signedBy({ service: "iam" })],
  ["InvalidActionOrVersion", 404, 100008, () => signedBy({}, "SendMessage")],
  ["InvalidActionOrVersion", 404, 100008, () => signedBy({}, "toString")],
  ["InvalidActionOrVersion", 404, 100008, () => signedBy({ path: "/volc/more" })],
  ["InvalidAccessKey", 401, 100009, () => signedBy({ accessKeyId: "AKCMNOBODY" })],
  ["SignatureDoesNotMatch", 401, 100010, () => signedBy({ secretAccessKey: "wrong" })],
  ["SignatureDoesNotMatch", 401, 100010, () => signedBy({ path: "/volc/", signedPath: "/other/" })],
  [
    "SignatureDoesNotMatch",
    401,
    100010,
    () => edited((request) => new Request(request, { method: "POST", body: `${BODY} ` })),
  ],
  [
    "SignatureDoesNotMatch",
    401,
    100010,
    () =>
      new Request(`${signedUrl(server.siteUrl, "GetConversationUserCount", credentials)}&more=1`, {
        method: "POST",
        body: BODY,
      }),
  ],
  ["InvalidParameter.BodyIsEmpty", 400, undefined, () => signedBy({}, undefined, "")],
  ["InvalidParameter.Unmarshal", 400, undefined, () => signedBy({}, undefined, "{")],
  [
    "InvalidParameter",
    400,
    undefined,
    () => signedBy({}, undefined, '{"AppId":1,"ConversationShortId":1.5}'),
  ],
  [
    "InvalidParameter",
    400,
    undefined,
    () => signedBy({}, undefined, `{"AppId":1,"ConversationShortId":${2 ** 64}}`),
  ],
  [
    "InvalidParameter.SizeOverLimit",
    400,
    undefined,
    () => signedBy({}, undefined, `"${"x".repeat(1 << 20)}"`),
  ],
])("%s (%i) is answered in the vendor's envelope", async (Code, status, CodeN, request) => {
  const answer = await send(request());
  const { ResponseMetadata, Result } = answer.body;
  expect(Result).toBeUndefined();
  expect(ResponseMetadata.Error?.Message).not.toContain(credentials.secretAccessKey);
  expect([answer.status, ResponseMetadata.Error?.Code, ResponseMetadata.Error?.CodeN]).toEqual([
    status,
    Code,
    CodeN,
  ]);
});

test("a tenant that sends more than 50 requests of an action in a second is told so", async () => {
  const limited = await startDialectServer({ RATE_LIMIT_PER_SECOND: "50" });
  const client = sdkClient(limited.siteUrl, await newCredentials(limited));
  const { ConversationShortId } = resultOf(
    await client("CreateConversation", {
      AppId: 1,
      ConversationCoreInfo: { ConversationType: 2 },
      OwnerUserId: 1,
    }),
  );
  const codes = new Set<string | undefined>();
  while (!codes.has("FlowLimitExceeded.QPSOverLimit")) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        client("GetConversationUserCount", { AppId: 1, ConversationShortId }),
      ),
    );
    for (const answer of answers) codes.add(codeOf(answer));
  }
  expect(codes).toEqual(new Set([undefined, "FlowLimitExceeded.QPSOverLimit"]));
});

test("nothing that is sent makes the server fail", async () => {
  const id = await newConversation();
  const token = fc.oneof(
    fc.constantFrom(
      "HMAC-SHA256",
      "Credential=",
      "SignedHeaders=",
      "Signature=",
      ",",
      ";",
      "/",
      " ",
      "=",
      "rtc",
      "request",
    ),
    fc.string({ unit: "binary-ascii", maxLength: 8 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, "")),
  );
  const value = fc.oneof(
    fc.constantFrom(0, 1, "1", id, null, true, {}, [], 2 ** 53, -1),
    fc.json().map((text) => JSON.parse(text) as unknown),
  );
  const fields = [
    "ConversationShortId",
    "ParticipantInfos",
    "Operator",
    "Cursor",
    "Limit",
    "ConversationCoreInfo",
    "OwnerUserId",
    "ParticipantUserIds",
    "ParticipantBlockInfos",
  ];
  const actions = [
    "CreateConversation",
    "BatchAddConversationParticipant",
    "ScanConversationParticipantList",
    "BatchAddBlockParticipants",
    "BatchGetConversations",
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(token, { maxLength: 12 }),
      fc.record(Object.fromEntries(fields.map((field) => [field, value])), { requiredKeys: [] }),
      fc.oneof(fc.constantFrom(...actions), fc.string()),
      fc.constantFrom("/", "/volc/", "/volc/x", "/volc/%ff", "/volc/..%2f"),
      async (tokens, body, action, path) => {
        const [unsigned, signed] = await Promise.all([
          send(withAuthorization(() => tokens.join("").trim() || "x")),
          send(signedBy({ path }, action, JSON.stringify({ AppId: 1, ...body }))),
        ]);
        expect(unsigned.status).toBeLessThan(500);
        expect(unsigned.status).toBeGreaterThanOrEqual(400);
        expect(signed.status).toBeLessThan(500);
      },
    ),
    { numRuns: 100 },
  );
});

/** The product on the engine for tests, which counts what is read as the server does, and takes thousands of people quickly. */
async function countingApp() {
  vi.stubEnv("RATE_LIMIT_PER_SECOND", "0");
  vi.stubEnv("CREDENTIALS_KEY", randomBytes(32).toString("base64"));
  const app = convexTest(schema, import.meta.glob("../../../convex/**/*.ts"));
  rateLimiter.register(app);
  const own = await app.action(internal.credentials.issue, { tenant: "acme" });
  const origin = "https://some-deployment.convex.site";
  const callApp = async (action: string, body: object) => {
    const request = goRequest(origin, action, JSON.stringify({ AppId: 1, ...body }), own);
    const answer = await app.fetch(request.url.slice(origin.length), request);
    return (await answer.json()) as VolcengineAnswer;
  };
  const tenantId = await app.run(async ({ db }) => (await db.query("tenants").first())?._id);
  if (!tenantId) throw new Error("The tenant is missing");
  return { app, call: callApp, tenantId };
}

test("as many people as a request may name are found within what one transaction may read, whoever they are", async () => {
  const [oneMore = "", ...most] = Array.from({ length: 1001 }, (_, index) => `p${index}`);
  const { app, call: callApp, tenantId } = await countingApp();
  // To find somebody with an account by an id of the application, and to name them, takes the most reads.
  await app.run(async ({ db }) => {
    for (const externalId of [oneMore, ...most]) {
      const user = { workosUserId: externalId, email: `${externalId}@example.com`, isActive: true };
      await db.insert("guests", { tenantId, externalId, userId: await db.insert("users", user) });
    }
  });
  const ConversationCoreInfo = { ConversationType: 100 };
  const made = await callApp("CreateConversation", { ConversationCoreInfo, OwnerUserId: OWNER });
  const { ConversationShortId } = resultOf(made);
  const callHere = (action: string, body: object = {}) =>
    callApp(action, { ConversationShortId, Operator: OWNER, ...body });
  const change = (action: string, people: string[], more: object) =>
    callHere(action, {
      ParticipantInfos: people.map((ParticipantUserIdStr) => ({ ParticipantUserIdStr, ...more })),
    });
  const add = (people: string[]) => change("BatchAddConversationParticipant", people, { ReadIndex: 1 });
  const nobody = { FailedUserIds: [] };
  expect(resultOf(await add(most))).toEqual(nobody);
  expect(resultOf(await change("BatchModifyConversationParticipant", most, { Level: 3 }))).toEqual(nobody);

  const get = (count: number) =>
    callHere("BatchGetConversationParticipant", { ParticipantUserIdsStr: most.slice(0, count) });
  const { Participants } = resultOf(await get(500)) as { Participants: Member[] };
  expect(Participants.map((member) => member.ParticipantUserIdStr)).toEqual(most.slice(0, 500));
  expect(codeOf(await get(501))).toBe("InvalidParameter");

  expect(resultOf(await callHere("GetParticipantReadIndex"))["ReadIndexes"]).toHaveLength(most.length);
  resultOf(await add([oneMore]));
  expect(codeOf(await callHere("GetParticipantReadIndex"))).toBe("InvalidParameter.SizeOverLimit");

  const BlockAction = 1;
  const ParticipantBlockInfosStr = Object.fromEntries(most.map((text, index) => [text, 60 + index]));
  const ban = await callHere("BatchAddBlockParticipants", { BlockAction, ParticipantBlockInfosStr });
  const lift = (ParticipantUserIdsStr: string[]) =>
    callHere("BatchDeleteBlockParticipants", { BlockAction, ParticipantUserIdsStr });
  expect(codeOf(await lift([...most, oneMore]))).toBe("InvalidParameter");
  for (const answer of [ban, await lift(most)]) {
    expect(resultOf(answer)).toEqual({ FailedParticipantUserIds: [] });
  }
  expect(resultOf(await lift(most.slice(0, 2)))).toMatchObject({
    FailedParticipantUserIdsStr: most.slice(0, 2),
  });
});

test("as many one-to-one conversations as a request may name are told of, whatever wire they were made by", async () => {
  const { app, call: callApp, tenantId } = await countingApp();
  const ConversationCoreInfo = { ConversationType: 1 };
  await callApp("CreateConversation", { ConversationCoreInfo, OwnerUserId: 1, OtherUserId: 2 });
  const ids = Array.from({ length: 251 }, (_, index) => 1000 + index);
  await app.run(async ({ db }) => {
    const { _id, _creationTime, ...fields } = (await db.query("meetings").first()) as Doc<"meetings">;
    // As the Connvo API makes them, between people whom the application has no ids of.
    for (const id of ids) {
      const newUser = (name: string) =>
        db.insert("users", {
          workosUserId: `${name}${id}`,
          email: `${name}${id}@example.com`,
          isActive: true,
        });
      const [userId, other] = [await newUser("host"), await newUser("guest")];
      const meetingId = await db.insert("meetings", { ...fields, organizerId: userId });
      const alias = { tenantId, kind: "volc.conversation", alias: String(id), subject: meetingId };
      await db.insert("aliases", alias);
      const row = { meetingId, presence: "invited" } as const;
      await db.insert("meetingParticipants", { ...row, userId, role: "host" });
      await db.insert("meetingParticipants", { ...row, userId: other, role: "participant" });
    }
  });
  const get = (ConversationShortId: number[]) => callApp("BatchGetConversations", { ConversationShortId });
  const { ConversationCoreInfos } = resultOf(await get(ids.slice(0, 250)));
  expect(ConversationCoreInfos).toHaveLength(250);
  expect(codeOf(await get(ids))).toBe("InvalidParameter");
});
