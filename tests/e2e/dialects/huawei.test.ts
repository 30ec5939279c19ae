import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import type { ConferenceInfo } from "../../../convex/dialects/huawei/wire";
import { getMeeting, newMeeting, request, run, signIn, type TestServer } from "../server";
import { Control, errorOf, failureOf, guestPasswordOf, hostPasswordOf, HuaweiClient } from "./huaweiClient";
import { asAdmin, configure, newCredentials, startDialectServer } from "./tenant";

const TEST_CODES = { bad: "MMC.111070001", auth: "MMC.111070004", unknown: "MMC.111070005" };
const CONTROL = "/v1/mmc/control/conferences";
const TOMORROW = new Date(Date.now() + 24 * 60 * 60_000).toISOString().slice(0, 16).replace("T", " ");

let server: TestServer;
let credentials: NewCredentials;
let client: HuaweiClient;

beforeAll(async () => {
  server = await startDialectServer();
  credentials = await newCredentials(server);
  client = new HuaweiClient(server, credentials);
  await client.login();
});

async function strangerClient(): Promise<HuaweiClient> {
  const stranger = new HuaweiClient(server, await newCredentials(server, "globex"));
  await stranger.login();
  return stranger;
}

/** The people of a meeting: name, number, role. */
async function attendeesOf(control: Control, query: Record<string, string | number> = {}) {
  const { data, ...page } = await client.manage<{
    data: { name: string; call_number: string; role: number; account: string }[];
    offset: number;
    limit: number;
    count: number;
  }>("GET", "/online/conf-attendee", { conf_id: control.id, ...query });
  return { people: data.map(({ name, call_number, role }) => `${name} ${call_number} ${role}`), ...page };
}

test("answers the request of the vendor's documentation as it says", async () => {
  const { id, token } = await client.open();
  const body = `{ "attendees": [ { "name": "Shanghai Venue", "role": 1, "phone": "+8657*******", "type": "normal" }] }`;
  const response = await fetch(
    `${server.siteUrl}/v1/mmc/control/conferences/participants?conferenceID=${id}`,
    {
      method: "POST",
      headers: {
        "X-Conference-Authorization": token,
        "Content-Type": "application/json",
        "user-agent": "WeLink-desktop",
      },
      body,
    },
  );
  expect(response.status).toBe(200);
  expect(await response.text()).toBe("");
  expect(response.headers.get("Content-Type")).toBe("application/json;charset=UTF-8");
  expect(response.headers.get("X-Request-Id")).toMatch(/^[0-9a-f]{32}$/);

  const first = new Control(client, { conferenceID: id } as ConferenceInfo, token);
  expect((await attendeesOf(first)).people).toEqual(["Shanghai Venue +8657******* 1"]);

  // The cURL command of the same page, which gives the same number.
  const second = await client.open();
  const answer = await fetch(
    `${server.siteUrl}/v1/mmc/control/conferences/participants?conferenceID=${second.id}`,
    {
      method: "POST",
      headers: { "content-type": "application/json", "X-Conference-Authorization": second.token },
      body: `{"attendees":[{"name":"user01","role":0,"phone":"+8657*******"}]}`,
    },
  );
  expect(answer.status).toBe(200);
  expect((await attendeesOf(second)).people).toEqual(["user01 +8657******* 0"]);
});

describe("tokens", () => {
  test("a login gives a token for twelve hours", async () => {
    const { huaweiAccount: account, huaweiPassword: password } = credentials;
    const before = Date.now();
    const answer = await client.send<Record<string, number>>("POST", "/v1/usg/acs/auth/account", {
      headers: { Authorization: `Basic ${btoa(`${account}:${password}`)}` },
      body: { account, clientType: 72 },
    });
    expect(answer["validPeriod"]).toBe(12 * 60 * 60);
    expect(answer["expireTime"]).toBeGreaterThanOrEqual(Math.floor(before / 1000) + 12 * 60 * 60);
    expect(answer).toMatchObject({ clientType: 72, user: { ucloginAccount: account } });
  });

  test.each([
    ["another password", (account: string) => `Basic ${btoa(`${account}:wrong`)}`],
    ["an unknown account", () => `Basic ${btoa("cm_nobody:wrong")}`],
    ["no colon", (account: string) => `Basic ${btoa(account)}`],
    ["no base64", () => "Basic %%%"],
    ["another scheme", () => "Bearer abc"],
  ])("a login with %s is refused", async (_, header) => {
    const account = credentials.huaweiAccount;
    const failure = await failureOf(
      client.send("POST", "/v1/usg/acs/auth/account", {
        headers: { Authorization: header(account) },
        body: { account, clientType: 72 },
      }),
    );
    expect(failure).toMatchObject({ httpStatusCode: 401, errorCode: "USG.206010000" });
    expect(failure.requestId).toMatch(/^[0-9a-f]{32}$/);
  });

  test("an account has 64 tokens of the API's type, and one of each other", async () => {
    const own = new HuaweiClient(server, await newCredentials(server));
    const first = await own.login();
    const second = await own.login();
    for (let i = 2; i < 64; i++) await own.login();
    const works = async (token: string) => {
      own.accessToken = token;
      return own.manage("GET", "").then(
        () => true,
        () => false,
      );
    };
    expect(await works(first)).toBe(true);
    await own.login();
    expect([await works(first), await works(second)]).toEqual([false, true]);

    const web = await own.login(0);
    const laterWeb = await own.login(0);
    expect([await works(web), await works(laterWeb), await works(second)]).toEqual([false, true, true]);
  });

  test("a token dies when it is deleted, and when its credentials are revoked", async () => {
    const set = await newCredentials(server);
    const own = new HuaweiClient(server, set);
    const first = await own.login();
    await own.send("DELETE", "/v1/usg/acs/token", { headers: { "X-Access-Token": first } });
    expect(await errorOf(own.manage("GET", ""))).toBe(TEST_CODES.auth);

    await own.login();
    const control = await own.open();
    await asAdmin(server, "credentials:revoke", { tenant: "acme", accessKeyId: set.accessKeyId });
    expect(await errorOf(own.manage("GET", ""))).toBe(TEST_CODES.auth);
    expect(await errorOf(control.info())).toBe(TEST_CODES.auth);
    expect(await errorOf(own.login())).toBe("USG.206010000");
  });

  test("without a token, or with something else, nobody gets in", async () => {
    const { id } = await client.open();
    const url = "/v1/mmc/management/conferences";
    const query = { conferenceID: id };
    expect(await failureOf(client.send("GET", url))).toMatchObject({
      httpStatusCode: 401,
      errorCode: "MMC.111070111",
    });
    for (const token of ["x", `${"a".repeat(22)}.${"b".repeat(43)}`]) {
      expect(await errorOf(client.send("GET", url, { headers: { "X-Access-Token": token } }))).toBe(
        TEST_CODES.auth,
      );
      const headers = { "X-Conference-Authorization": token };
      expect(await errorOf(client.send("PUT", `${CONTROL}/stop`, { query, headers }))).toBe(TEST_CODES.auth);
    }
    expect(await errorOf(client.send("PUT", `${CONTROL}/stop`, { query }))).toBe("MMC.111070111");
    // Neither kind of token does for the other.
    const headers = { "X-Conference-Authorization": client.accessToken };
    expect(await errorOf(client.send("PUT", `${CONTROL}/stop`, { query, headers }))).toBe(TEST_CODES.auth);
  });

  test("a control token is given for the host password while the meeting is on, and kept alive by itself", async () => {
    const planned = await client.create({ startTime: TOMORROW });
    const { conferenceID } = planned;
    const password = hostPasswordOf(planned);
    expect(await errorOf(client.controlToken(conferenceID, password))).toBe(TEST_CODES.unknown);
    await client.manage("POST", "/start", {}, { conferenceID, password });

    expect(await errorOf(client.controlToken(conferenceID, "1234567890123456"))).toBe("MMC.111072065");
    expect(await errorOf(client.controlToken(conferenceID, guestPasswordOf(planned)))).toBe("MMC.111072065");
    expect(await errorOf(client.controlToken(conferenceID, ""))).toBe("MMC.111070009");
    expect(await errorOf(client.controlToken("100000000", password))).toBe("MMC.111072065");

    const token = await client.controlToken(conferenceID, password);
    const kept = await client.controlToken(conferenceID, "", { "X-Conference-Authorization": token });
    expect(kept).toBe(token);
    // A token that is not good any more is of no use but with the password.
    const dead = `${"a".repeat(22)}.${"b".repeat(43)}`;
    expect(await errorOf(client.controlToken(conferenceID, "", { "X-Conference-Authorization": dead }))).toBe(
      TEST_CODES.auth,
    );
    const renewed = await client.controlToken(conferenceID, password, { "X-Conference-Authorization": dead });
    expect(renewed).not.toBe(token);

    const basic = new Control(client, planned, `Basic ${btoa(token)}`);
    await basic.invite({ name: "Ann", phone: "+861" });
    await basic.call("PUT", "/stop");
    expect(await errorOf(basic.info())).toBe("MMC.111072006");
    expect(await errorOf(client.controlToken(conferenceID, password))).toBe("MMC.111072006");
  });

  test("a control token needs no login, and controls its own meeting alone", async () => {
    const [one, other] = [await client.open(), await client.open()];
    const { data } = await client.send<{
      data: { token: string; role: number; confTokenExpireTime: number };
    }>("GET", `${CONTROL}/token`, {
      query: { conferenceID: one.id },
      headers: { "X-Password": hostPasswordOf(one.conference), "X-Login-Type": "1" },
    });
    expect(data).toMatchObject({ role: 1, confTokenExpireTime: 1800 });
    await new Control(client, one.conference, data.token).invite({ name: "Ann", phone: "+861" });
    const crossed = new Control(client, other.conference, data.token);
    expect(await failureOf(crossed.invite({ name: "Ann", phone: "+861" }))).toMatchObject({
      httpStatusCode: 403,
      errorCode: "MMC.111070002",
    });
  });
});

describe("meetings", () => {
  test("are made, found, changed and cancelled", async () => {
    const made = await client.create({
      startTime: TOMORROW,
      length: 60,
      subject: "Weekly",
      concurrentParticipants: 0,
      confConfigInfo: { guestPwd: "4711", enableWaitingRoom: true, callInRestriction: 2, isSendSms: false },
      attendees: [{ name: "Ann", phone: "+8613", role: 1, type: "mobile" }],
    });
    expect(made).toMatchObject({
      subject: "Weekly",
      startTime: TOMORROW,
      conferenceState: "Schedule",
      concurrentParticipants: 0,
      size: 1,
      passwordEntry: [{ conferenceRole: "chair" }, { conferenceRole: "general", password: "4711" }],
      confConfigInfo: { guestPwd: "4711", enableWaitingRoom: true, callInRestriction: 2, isSendSms: false },
      partAttendeeInfo: [{ name: "Ann", phone: "+8613", type: "mobile", role: 1 }],
    });
    expect(made.conferenceID).toMatch(/^[1-9]\d{8}$/);
    expect(hostPasswordOf(made)).toMatch(/^\d{16}$/);

    const { conferenceID } = made;
    const detail = await client.manage<{
      conferenceData: ConferenceInfo;
      data: { data: object[]; count: number };
    }>("GET", "/confDetail", { conferenceID });
    expect(detail.data).toMatchObject({ count: 1, data: [{ name: "Ann", role: 1, attendeeType: "mobile" }] });
    // The host password can be read again; a guest password that was chosen can't.
    expect(detail.conferenceData.passwordEntry).toEqual([
      { conferenceRole: "chair", password: hostPasswordOf(made) },
    ]);

    const edited = await client.manage<Record<string, ConferenceInfo>>(
      "PUT",
      "",
      { conferenceID },
      {
        subject: "Monthly",
        length: 90,
        confConfigInfo: { isAutoMute: true },
        attendees: [{ name: "Bob", phone: "+8614" }],
      },
    );
    expect(edited["0"]).toMatchObject({
      conferenceID,
      subject: "Monthly",
      size: 2,
      isAutoMute: 1,
      confConfigInfo: { callInRestriction: 2, isAutoMute: true, enableWaitingRoom: true },
    });

    for (const searchKey of ["monthLY", conferenceID]) {
      const found = await client.manage<{ count: number; data: ConferenceInfo[] }>("GET", "", { searchKey });
      expect(found.data.map((one) => one.conferenceID)).toEqual([conferenceID]);
    }
    await client.manage("DELETE", "", { conferenceID });
    expect(await errorOf(client.manage("GET", "/confDetail", { conferenceID }))).toBe("MMC.111072006");
    expect(await errorOf(client.manage("DELETE", "", { conferenceID }))).toBe("MMC.111072006");
  });

  test("without a time are on at once, and end when they are cancelled with type 1", async () => {
    const { conferenceID, conferenceState } = await client.create();
    expect(conferenceState).toBe("Created");
    const online = await client.manage<{ data: ConferenceInfo[] }>("GET", "/online", { limit: 500 });
    expect(online.data.map((one) => one.conferenceID)).toContain(conferenceID);
    expect(await errorOf(client.manage("DELETE", "", { conferenceID }))).toBe(TEST_CODES.bad);
    await client.manage("DELETE", "", { conferenceID, type: 1 });
    expect(await errorOf(client.manage("GET", "/online/confDetail", { conferenceID }))).toBe("MMC.111072006");
  });

  test("are started with the host password, or by guests where that is allowed", async () => {
    const closed = await client.create({ startTime: TOMORROW });
    const start = ({ conferenceID }: ConferenceInfo, password: string) =>
      client.manage("POST", "/start", {}, { conferenceID, password });
    expect(await errorOf(start(closed, guestPasswordOf(closed)))).toBe("MMC.111071004");
    expect(await errorOf(start(closed, "1"))).toBe("MMC.111072065");
    expect(await errorOf(start(closed, ""))).toBe("MMC.111070009");
    await start(closed, hostPasswordOf(closed));
    await start(closed, hostPasswordOf(closed));

    const open = await client.create({
      startTime: TOMORROW,
      confConfigInfo: { guestPwd: "123456", allowGuestStartConf: true },
    });
    expect(await errorOf(start(open, "654321"))).toBe("MMC.111072065");
    await start(open, "123456");
    expect(
      await client.manage("GET", "/online/confDetail", { conferenceID: open.conferenceID }),
    ).toMatchObject({
      conferenceData: { conferenceState: "Created" },
    });
  });

  test.each([
    ["no media types", { mediaTypes: undefined }],
    ["an unknown media type", { mediaTypes: "Smell" }],
    ["a past time", { startTime: "2020-01-01 00:00" }],
    ["a day that there is not", { startTime: "2030-02-30 10:00" }],
    ["a short time", { length: 14 }],
    ["a long time", { length: 1441 }],
    ["a long subject", { subject: "x".repeat(129) }],
    ["a guest password of letters", { confConfigInfo: { guestPwd: "abcd" } }],
    ["an attendee without a number", { attendees: [{ name: "Ann" }] }],
  ])("are not made with %s", async (_, fields) => {
    expect(await failureOf(client.create(fields))).toMatchObject({
      httpStatusCode: 400,
      errorCode: TEST_CODES.bad,
    });
  });

  test("have a guest password that differs from the host's", async () => {
    const made = await client.create({ startTime: TOMORROW });
    const body = { confConfigInfo: { guestPwd: hostPasswordOf(made) } };
    const { conferenceID } = made;
    expect(await errorOf(client.manage("PUT", "", { conferenceID }, body))).toBe("USG.201080006");
  });

  test("are on at the same time in no greater number than the tenant may have", async () => {
    const small = new HuaweiClient(server, await newCredentials(server, "small"));
    await configure(server, "small", { maxConcurrentMeetings: 1 });
    await small.login();
    await small.create();
    expect(await errorOf(small.create())).toBe("MMC.115022001");
    const { count } = await small.manage<{ count: number }>("GET", "");
    expect(count).toBe(1);
  });

  test("are made no quicker than the tenant may change anything", async () => {
    const slow = new HuaweiClient(server, await newCredentials(server, "slow"));
    await configure(server, "slow", { mutationsPerSecond: 1 });
    await slow.login();
    const answers = await Promise.allSettled(
      Array.from({ length: 20 }, () => slow.create({ startTime: TOMORROW })),
    );
    const refusal: unknown = answers.find((one) => one.status === "rejected")?.reason;
    expect(refusal).toMatchObject({ httpStatusCode: 429, errorCode: "MMC.100000429" });
    const { count } = await slow.manage<{ count: number }>("GET", "");
    expect(count).toBe(answers.filter(({ status }) => status === "fulfilled").length);
  });

  test("that the Connvo API has made get a conference id when somebody asks, and go by their own id too", async () => {
    const host = await signIn(server, "hanna", { organizationId: "acme" });
    const meetingId = await newMeeting(server, host, { title: "By Connvo" });
    const found = await client.manage<{ data: ConferenceInfo[] }>("GET", "", { searchKey: "By Connvo" });
    const [conference] = found.data as [ConferenceInfo];
    const again = await client.manage<{ conferenceData: ConferenceInfo }>("GET", "/confDetail", {
      conferenceID: meetingId,
    });
    expect(again.conferenceData).toEqual(conference);
    const { conferenceID } = conference;
    await client.manage("POST", "/start", {}, { conferenceID, password: hostPasswordOf(conference) });
    const control = new Control(
      client,
      conference,
      await client.controlToken(conferenceID, hostPasswordOf(conference)),
    );
    await control.invite({ name: "Ann", accountId: "ann-1" });
    expect(await getMeeting(server, host, meetingId)).toMatchObject({ state: "active", participantCount: 2 });
  });
});

describe("inviting", () => {
  test.each([
    "normal",
    "telepresence",
    "terminal",
    "outside",
    "mobile",
    "ideahub",
    "board",
    "hwvision",
    undefined,
  ])("takes the terminal type %s", async (type) => {
    const control = await client.open();
    await control.invite({
      name: "Room",
      phone: "sip:room@example.com",
      ...(type && { type }),
      deptName: "Sales",
    });
    const { data } = await client.manage<{ data: { data: object[] } }>("GET", "/confDetail", {
      conferenceID: control.id,
    });
    expect(data.data).toMatchObject([
      { attendeeType: type ?? "normal", deptName: "Sales", subscriberID: "sip:room@example.com" },
    ]);
  });

  test("names people by account, number, address or SMS number", async () => {
    const control = await client.open();
    await control.invite(
      { name: "Account", accountId: "emp-7", phone: "+867" },
      { name: "Uuid", userUUID: "ff808081" },
      { name: "Phone", phone: "+868" },
      { name: "Email", email: "e@example.com" },
      { name: "Sms", sms: "+869" },
    );
    const { attendees } = await control.info();
    expect(attendees.map(({ name, accountID }) => `${name} ${accountID}`).toSorted()).toEqual([
      "Account emp-7",
      "Email e@example.com",
      "Phone +868",
      "Sms +869",
      "Uuid ff808081",
    ]);
  });

  test("a person who is there again gives them the new name and role, whatever they were called by", async () => {
    const control = await client.open();
    await control.invite({ name: "Ann", accountId: "ann-2" }, { name: "Host", accountId: "host-2", role: 1 });
    const { attendees } = await control.info();
    const ann = attendees.find(({ name }) => name === "Ann");
    await control.invite({ name: "Ann B.", userUUID: ann?.userUUID, role: 1 });
    expect((await attendeesOf(control)).people.toSorted()).toEqual(["Ann B. ann-2 1", "Host host-2 1"]);
    // Once in a request is enough.
    await control.invite({ name: "Twice", phone: "+871" }, { name: "Twice", phone: "+871" });
    expect((await attendeesOf(control)).count).toBe(3);
  });

  test("keeps the phone of an account that is known already, and finds the person by it", async () => {
    await (await client.open()).invite({ name: "Kim", accountId: "kim" });
    const control = await client.open();
    await control.invite({ name: "Kim", accountId: "kim", phone: "+8677" });
    expect((await attendeesOf(control)).people).toEqual(["Kim +8677 0"]);
    await control.call("PUT", "/participants/name", { number: "+8677", newName: "Kim Lee" });
    await control.invite({ name: "Kim Li", accountId: "kim", role: 1 });
    expect((await attendeesOf(control, { search_key: "8677" })).people).toEqual(["Kim Li +8677 1"]);
  });

  test("fails as a whole", async () => {
    const control = await client.open({ concurrentParticipants: 2 });
    const people = [1, 2, 3].map((n) => ({ name: `P${n}`, phone: `+87${n}` }));
    expect(await errorOf(control.invite(...people))).toBe("MMC.111076003");
    expect((await attendeesOf(control)).count).toBe(0);
    for (const wrong of [
      { phone: "+1" },
      { name: "x".repeat(97), phone: "+1" },
      { name: "Ann", phone: "1".repeat(128) },
      { name: "Ann", phone: "+1", type: "toaster" },
      { name: "Ann", phone: "+1", role: 2 },
      { name: "Ann", phone: "+1", deptName: "x".repeat(129) },
    ]) {
      const failure = await failureOf(control.invite({ name: "Good", phone: "+9" }, wrong));
      expect(failure).toMatchObject({ httpStatusCode: 400, errorCode: TEST_CODES.bad });
      expect(failure.errorMsg).toContain("attendees.1");
    }
    expect(await errorOf(control.invite())).toBe(TEST_CODES.bad);
    const tooMany = Array.from({ length: 1001 }, (_, n) => ({ name: `P${n}`, phone: `+86${n}` }));
    expect(await errorOf(control.invite(...tooMany))).toBe(TEST_CODES.bad);
    expect((await attendeesOf(control)).count).toBe(0);
  });

  test("refuses who is banned or deactivated, and the last host something less", async () => {
    const host = await signIn(server, "hugo", { organizationId: "acme" });
    const [banned, gone] = [await signIn(server, "bane"), await signIn(server, "gone")];
    const meetingId = await newMeeting(server, host);
    await run(server.siteUrl, "meetings/lifecycle/startMeeting", { meetingId }, host.token);
    await run(
      server.siteUrl,
      "meetings/bans/banParticipants",
      { meetingId, people: [{ userId: banned.userId }] },
      host.token,
    );
    await run(server.siteUrl, "users/mutations/deactivateUser", { userId: gone.userId }, gone.token);
    const { conferenceData } = await client.manage<{ conferenceData: ConferenceInfo }>("GET", "/confDetail", {
      conferenceID: meetingId,
    });
    const token = await client.controlToken(conferenceData.conferenceID, hostPasswordOf(conferenceData));
    const control = new Control(client, conferenceData, token);
    expect(await errorOf(control.invite({ name: "Bane", userUUID: banned.userId }))).toBe("MMC.111071075");
    expect(await errorOf(control.invite({ name: "Gone", userUUID: gone.userId }))).toBe("MMC.111070110");
    expect(await errorOf(control.invite({ name: "Hugo", userUUID: host.userId, role: 0 }))).toBe(
      TEST_CODES.bad,
    );
  });

  test("with the host password alone is possible too", async () => {
    const control = await client.open();
    const body = { callNum: "+8699", pwd: hostPasswordOf(control.conference) };
    const query = { conferenceID: control.id };
    await client.send("POST", `${CONTROL}/inviteWithPwd`, { query, body });
    expect((await attendeesOf(control)).people).toEqual(["+8699 +8699 0"]);
    const wrong = client.send("POST", `${CONTROL}/inviteWithPwd`, { query, body: { ...body, pwd: "1" } });
    expect(await errorOf(wrong)).toBe("MMC.111072065");
  });

  test("the same people from twenty clients at once adds each once", async () => {
    const control = await client.open();
    const attendees = Array.from({ length: 25 }, (_, n) => ({ name: `P${n}`, phone: `+88${n}` }));
    await Promise.all(Array.from({ length: 20 }, () => control.invite(...attendees)));
    expect(await attendeesOf(control, { limit: 500 })).toMatchObject({ count: 25 });
    const detail = await client.manage("GET", "/confDetail", { conferenceID: control.id });
    expect(detail).toMatchObject({ conferenceData: { size: 25 } });
  });
});

describe("control", () => {
  async function withPeople(fields: object = {}): Promise<Control> {
    const control = await client.open(fields);
    await control.invite(
      { name: "Host", phone: "+1", role: 1 },
      { name: "Ann", phone: "+2" },
      { name: "Bob", phone: "+3" },
    );
    return control;
  }

  test("gives and takes the roles of host and co-host", async () => {
    const control = await withPeople();
    const [host, ann] = [await control.pid("Host"), await control.pid("Ann")];
    const chair = hostPasswordOf(control.conference);
    const role = (participantID: string, body: object) =>
      control.call("PUT", "/participants/role", body, { participantID });
    const cohost = (participantID: string, isCohost: number) =>
      control.call("PUT", "/participants/cohost", { isCohost }, { participantID });

    await cohost(ann, 1);
    expect((await control.info()).confInfo).toEqual({ chairID: host, coHosts: [ann] });
    expect(await errorOf(cohost(host, 1))).toBe(TEST_CODES.bad);
    expect(await errorOf(role(host, { applyChair: 0 }))).toBe(TEST_CODES.bad);
    expect(await errorOf(role(ann, { applyChair: 1, chairmanPwd: "1" }))).toBe("MMC.111070002");
    await role(ann, { applyChair: 1, chairmanPwd: chair });
    await role(host, { applyChair: 0 });
    expect((await control.info()).confInfo).toEqual({ chairID: ann, coHosts: [] });
    await cohost(host, 1);
    await cohost(host, 0);
    expect((await control.info()).confInfo.coHosts).toEqual([]);
    expect(await errorOf(role("nobody", { applyChair: 1 }))).toBe(TEST_CODES.bad);
  });

  test("mutes one, all but hosts, and all but one who is called", async () => {
    const control = await withPeople();
    const ann = await control.pid("Ann");
    const muted = async () => {
      const { participants } = await control.info();
      return participants.flatMap(({ name, mute }) => (mute === 1 ? [name] : [])).toSorted();
    };
    await control.call("PUT", "/participants/mute", { isMute: 1 }, { participantID: ann });
    expect(await muted()).toEqual(["Ann"]);
    await control.call("PUT", "/mute", { isMute: 1, allowUnmuteByOneself: 0 });
    expect(await muted()).toEqual(["Ann", "Bob"]);
    await control.call("PUT", "/participants/rollCall", undefined, { participantID: ann });
    expect(await muted()).toEqual(["Bob"]);
    await control.call("PUT", "/mute", { isMute: 0 });
    expect(await muted()).toEqual([]);
  });

  test("renames, and raises and lowers hands", async () => {
    const control = await withPeople();
    const ann = await control.pid("Ann");
    await control.call("PUT", "/participants/name", { participantID: ann, newName: "Anna" });
    await control.call("PUT", "/participants/name", { number: "+3", newName: "Rob" });
    const hands = async () => {
      const { participants } = await control.info();
      return participants.flatMap(({ name, hand }) => (hand === 1 ? [name] : [])).toSorted();
    };
    await control.call("PUT", "/participants/hands", { handsState: 1 }, { participantID: ann });
    expect(await hands()).toEqual(["Anna"]);
    await control.call("PUT", "/participants/batch/hands", { handsState: 1 });
    expect(await hands()).toEqual(["Anna", "Host", "Rob"]);
    await control.call("PUT", "/participants/batch/hands", { handsState: 0, pids: [ann] });
    expect(await hands()).toEqual(["Host", "Rob"]);
    expect(await errorOf(control.call("PUT", "/participants/name", { newName: "X" }))).toBe(TEST_CODES.bad);
  });

  test("removes and hangs up", async () => {
    const control = await withPeople();
    const ann = await control.pid("Ann");
    await control.call("POST", "/participants/delete", { bulkHangUpParticipants: [ann] });
    expect((await control.info()).participants.map(({ name }) => name).toSorted()).toEqual(["Bob", "Host"]);
    // The place of who was put out stays theirs.
    expect((await control.info()).attendees).toHaveLength(3);
    await control.call("POST", "/attendees/delete", {
      bulkDelAttendInfo: [{ number: "+3" }, { participantID: ann }],
    });
    expect((await control.info()).attendees.map(({ name }) => name)).toEqual(["Host"]);
    const gone = control.call("POST", "/attendees/delete", { bulkDelAttendInfo: [{ number: "+3" }] });
    expect(await errorOf(gone)).toBe(TEST_CODES.bad);
    const last = control.call("POST", "/attendees/delete", { bulkDelAttendInfo: [{ number: "+1" }] });
    expect(await errorOf(last)).toBe(TEST_CODES.bad);
  });

  test("removes a thousand of three thousand people by their numbers and accounts", async () => {
    const control = await client.open({ concurrentParticipants: 0 });
    const people = Array.from({ length: 3000 }, (_, n) => ({
      name: `P${n}`,
      accountId: `many-${n}`,
      phone: `+8655${n}`,
    }));
    for (let n = 0; n < people.length; n += 1000) await control.invite(...people.slice(n, n + 1000));
    const bulkDelAttendInfo = people
      .slice(0, 1000)
      .map(({ accountId, phone }, n) => ({ number: n % 2 === 0 ? phone : accountId }));
    await control.call("POST", "/attendees/delete", { bulkDelAttendInfo });
    expect(await attendeesOf(control)).toMatchObject({ count: 2000 });
    expect(await attendeesOf(control, { search_key: "many-99" })).toMatchObject({ count: 0 });
  });

  test("takes an empty number or participant id for none", async () => {
    const control = await withPeople();
    const rename = (body: object) => control.call("PUT", "/participants/name", { newName: "X", ...body });
    const participantID = await control.pid("Ann");
    await rename({ participantID, number: " ", newName: "Anna" });
    await rename({ participantID: "", number: "+3", newName: "Rob" });
    expect(await errorOf(rename({ participantID: " ", number: "" }))).toBe(TEST_CODES.bad);
    expect((await attendeesOf(control)).people.toSorted()).toEqual(["Anna +2 0", "Host +1 1", "Rob +3 0"]);
    const remove = (...bulkDelAttendInfo: object[]) =>
      control.call("POST", "/attendees/delete", { bulkDelAttendInfo });
    expect(await errorOf(remove({ participantID: "", number: "" }))).toBe(TEST_CODES.bad);
    await remove({ participantID, number: "" }, { participantID: "", number: "+3" });
    expect((await attendeesOf(control)).people).toEqual(["Host +1 1"]);
    await control.call("PUT", "/allowWaitingParticipant", { participantID: "", allowAll: true });
    const nobody = control.call("PUT", "/allowWaitingParticipant", { participantID: "", allowAll: false });
    expect(await errorOf(nobody)).toBe(TEST_CODES.bad);
  });

  test("locks, prolongs and ends a meeting", async () => {
    const host = await signIn(server, "lockhost", { organizationId: "acme" });
    const guest = await signIn(server, "lockguest");
    const control = await client.open({ length: 30 });
    await control.invite(
      { name: "H", userUUID: host.userId, role: 1 },
      { name: "G", userUUID: guest.userId },
    );
    const meetingId = control.conference.confUUID;
    const join = ({ token }: { token: string }) =>
      run(server.siteUrl, "meetings/lifecycle/joinMeeting", { meetingId }, token);
    await control.call("PUT", "/lock", { isLock: 1 });
    expect([(await join(host)).status, (await join(guest)).status]).toEqual([200, 409]);
    await control.call("PUT", "/lock", { isLock: 0 });
    expect((await join(guest)).status).toBe(200);

    await control.call("PUT", "/duration", { auto: 0, duration: 20 });
    await control.call("PUT", "/duration", { auto: 0 });
    expect(await getMeeting(server, host, meetingId)).toMatchObject({ duration: 65 * 60_000 });
    await control.call("PUT", "/stop");
    expect(await getMeeting(server, host, meetingId)).toMatchObject({ state: "concluded" });
  });

  test("lets people in from the waiting room and sends them back", async () => {
    const control = await client.open({ confConfigInfo: { enableWaitingRoom: true } });
    const people = await Promise.all(["w1", "w2"].map((name) => signIn(server, name)));
    await control.invite(...people.map(({ userId }, n) => ({ name: `W${n + 1}`, userUUID: userId })));
    const meetingId = control.conference.confUUID;
    for (const { token } of people)
      await run(server.siteUrl, "meetings/lifecycle/joinMeeting", { meetingId }, token);
    const states = async () => {
      const { participants } = await control.info();
      return Object.fromEntries(participants.map(({ name, state }) => [name, state]));
    };
    const [w1, w2] = [await control.pid("W1"), await control.pid("W2")];
    expect(await states()).toEqual({ W1: 2, W2: 2 });
    await control.call("PUT", "/allowWaitingParticipant", { participantID: w1 });
    expect(await states()).toEqual({ W1: 0, W2: 2 });
    expect(await errorOf(control.call("PUT", "/allowWaitingParticipant", { participantID: w1 }))).toBe(
      TEST_CODES.bad,
    );
    await control.call("PUT", "/allowWaitingParticipant", { allowAll: true });
    expect(await states()).toEqual({ W1: 0, W2: 0 });
    await control.call("PUT", "/moveToWaitingRoom", { participantID: w1 });
    expect(await states()).toEqual({ W1: 2, W2: 0 });
    await control.call("PUT", "/batchMoveToWaitingRoom", { batchParticipants: [w1, w2] });
    expect(await states()).toEqual({ W1: 2, W2: 2 });
    const { data } = await client.manage<{ data: ConferenceInfo[] }>("GET", "", { searchKey: control.id });
    expect(data).toMatchObject([{ onlineAttendeeAmount: 0 }]);

    const open = await client.open();
    await open.invite({ name: "Ann", phone: "+2" });
    const participantID = await open.pid("Ann");
    expect(await errorOf(open.call("PUT", "/moveToWaitingRoom", { participantID }))).toBe(TEST_CODES.bad);
  });

  test("lists people in pages and by what they are called", async () => {
    const control = await withPeople();
    expect(await attendeesOf(control, { offset: 1, limit: 1 })).toMatchObject({
      offset: 1,
      limit: 1,
      count: 3,
    });
    expect((await attendeesOf(control, { offset: 1, limit: 1 })).people).toHaveLength(1);
    expect(await attendeesOf(control, { search_key: "an" })).toMatchObject({
      people: ["Ann +2 0"],
      count: 1,
    });
    for (const query of [{ limit: 501 }, { limit: 0 }, { offset: -1 }, { limit: "many" }]) {
      expect(await errorOf(attendeesOf(control, query))).toBe(TEST_CODES.bad);
    }
  });
});

describe("the wire", () => {
  test("is served below a path of one's own too", async () => {
    const prefixed = new HuaweiClient(server, credentials, "/huawei");
    await prefixed.login();
    const control = await prefixed.open();
    await control.invite({ name: "Ann", phone: "+2" });
    expect((await control.info()).attendees).toHaveLength(1);
  });

  test("does not show anything of another tenant, nor change it", async () => {
    const stranger = await strangerClient();
    const control = await client.open({ subject: "Secret" });
    const { conferenceID, confUUID } = control.conference;
    for (const id of [conferenceID, confUUID]) {
      expect(await errorOf(stranger.manage("GET", "/confDetail", { conferenceID: id }))).toBe(
        TEST_CODES.unknown,
      );
      expect(await errorOf(stranger.manage("PUT", "", { conferenceID: id }, { subject: "X" }))).toBe(
        TEST_CODES.unknown,
      );
      expect(await errorOf(stranger.manage("DELETE", "", { conferenceID: id, type: 1 }))).toBe(
        TEST_CODES.unknown,
      );
      expect(await errorOf(stranger.manage("GET", "/online/conf-attendee", { conf_id: id }))).toBe(
        TEST_CODES.unknown,
      );
    }
    const { count } = await stranger.manage<{ count: number }>("GET", "", { searchKey: conferenceID });
    expect(count).toBe(0);
    const other = await stranger.open();
    const crossed = new Control(client, control.conference, other.token);
    expect(await errorOf(crossed.call("PUT", "/stop"))).toBe(TEST_CODES.unknown);
    expect(await errorOf(stranger.controlToken(conferenceID, hostPasswordOf(control.conference)))).toBe(
      TEST_CODES.unknown,
    );
  });

  test("takes a request id of the client's, and answers unknown paths and large bodies in its own words", async () => {
    const login = "v1/usg/acs/auth/account";
    for (const path of ["v1/mmc/nothing", `v1/mmc/${login}`, `huawei/acme/${login}`, "huawei/"]) {
      const headers = { "X-Request-Id": "abc-1" };
      const unknown = await request(`${server.siteUrl}/${path}`, { method: "POST", headers });
      expect(unknown).toMatchObject({ status: 404, body: { error_code: "APIG.0101" } });
      expect(unknown.headers.get("X-Request-Id")).toBe("abc-1");
    }
    const elsewhere = await request(`${server.siteUrl}/anything/${login}`, { method: "POST" });
    expect(elsewhere).toMatchObject({ status: 404, body: { errorData: { code: "NOT_FOUND" } } });
    const { id, token } = await client.open();
    const participants = `${server.siteUrl}${CONTROL}/participants?conferenceID=${id}`;
    const headers = { "X-Conference-Authorization": token };
    const large = await request(participants, { headers, body: " ".repeat(1024 * 1024 + 1) });
    expect(large).toMatchObject({ status: 413, body: { error_code: "APIG.0201" } });
    for (const more of [
      { body: "{" },
      { headers: { ...headers, "Content-Type": "text/plain" }, body: "{}" },
    ]) {
      const broken = await request(participants, { headers, ...more });
      expect(broken).toMatchObject({ status: 400, body: { error_code: TEST_CODES.bad } });
    }
  });

  test("gives each account a hundred requests a minute", async () => {
    const limited = await startDialectServer({ RATE_LIMIT_PER_SECOND: "50" });
    const own = new HuaweiClient(limited, await newCredentials(limited));
    await own.login();
    const answered: boolean[] = [];
    let refusal: unknown;
    while (refusal === undefined) {
      const answers = await Promise.allSettled(
        Array.from({ length: 50 }, () => own.manage("GET", "", { limit: 1 })),
      );
      answered.push(...answers.map(({ status }) => status === "fulfilled"));
      refusal = answers.find((one) => one.status === "rejected")?.reason;
    }
    expect(refusal).toMatchObject({ httpStatusCode: 429, errorCode: "MMC.100000429" });
    expect(answered.filter(Boolean).length).toBeGreaterThanOrEqual(99);
  });

  test("nothing that is sent makes the server fail", async () => {
    const { id, token } = await client.open();
    const paths = [
      "participants",
      "token",
      "attendees/delete",
      "mute",
      "participants/hands",
      "lock",
      "%zz",
      "",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "PUT", "DELETE"),
        fc.constantFrom(
          "/v1/usg/acs/auth/account",
          "/v1/usg/acs/token",
          "/v1/mmc/management/conferences",
          ...paths.map((path) => `${CONTROL}/${path}`),
        ),
        fc.constantFrom(id, "x", "", "000000000"),
        fc.record(
          {
            Authorization: fc.oneof(fc.base64String(), fc.base64String()).map((text) => `Basic ${text}`),
            "X-Access-Token": fc.constantFrom(client.accessToken, "x", "."),
            "X-Conference-Authorization": fc.constantFrom(token, `Basic ${btoa(token)}`, "Basic /w==", "x"),
            "X-Password": fc.constantFrom("", "1", "x".repeat(500)),
          },
          { requiredKeys: [] },
        ),
        fc.oneof(fc.json(), fc.string()),
        async (method, path, conferenceID, headers, body) => {
          const response = await fetch(`${server.siteUrl}${path}?conferenceID=${conferenceID}`, {
            method,
            headers: { "Content-Type": "application/json", ...headers } as Record<string, string>,
            ...(method !== "GET" && { body }),
          });
          const text = await response.text();
          expect(response.status).toBeLessThan(500);
          const isError = text !== "" && /"error_code":"(MMC|USG|APIG)\./.test(text);
          expect(isError).toBe(response.status !== 200);
        },
      ),
      { numRuns: 300 },
    );
    expect(server.faults).toEqual([]);
  });
});
