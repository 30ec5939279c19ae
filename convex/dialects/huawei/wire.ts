/** The shapes of this wire, as its vendor's documentation and SDK have them. */
import * as z from "zod";
import { terminalType } from "../../contract/invitations";
import { MAX_BATCH } from "../../contract/participants";
import { text } from "../../contract/text";

const flag = z.union([z.literal(0), z.literal(1)]);
const short = text().max(255);
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, "Must be a whole number")
    .transform(Number)
    .pipe(z.int().min(min).max(max));

/** What invitations know, and rooms for telepresence. */
const terminal = z.enum(["telepresence", ...terminalType.options]);

const number = text().trim().min(1).max(127);

/** A person to be invited. Which of the ways to name them is used is for `attendees.ts` to see. */
const attendee = z
  .object({
    userUUID: short.exactOptional(),
    accountId: text().trim().max(256).exactOptional(),
    name: text().trim().min(1).max(96),
    role: flag.exactOptional().describe("1: host, 0: participant; what they were if absent"),
    phone: text().trim().max(127).exactOptional().describe("SIP or telephone number"),
    phone2: text().max(127).exactOptional(),
    phone3: text().max(127).exactOptional(),
    email: text().trim().max(255).exactOptional(),
    sms: text().trim().max(127).exactOptional(),
    isMute: flag.exactOptional(),
    isAutoInvite: flag.exactOptional(),
    type: terminal.exactOptional().describe("`normal` if absent"),
    address: short.exactOptional(),
    deptUUID: short.exactOptional(),
    deptName: text().trim().max(128).exactOptional(),
    appId: short.exactOptional(),
  })
  .refine(
    ({ userUUID, accountId, phone, email, sms }) => [userUUID, accountId, phone, email, sms].some(Boolean),
    { path: ["phone"], message: "One of accountId, userUUID, phone, email and sms is required" },
  );
export type Attendee = z.output<typeof attendee>;

const attendees = z.array(attendee).max(MAX_BATCH);
export const invite = z.object({ attendees: attendees.min(1) });
export const inviteWithPassword = z.object({
  callNum: number,
  confID: short.exactOptional(),
  orgID: short.exactOptional(),
  pwd: text().min(1).max(255),
  numBelongsType: z.int().exactOptional(),
  isNotOverlayPidName: z.boolean().exactOptional(),
});

const participantId = text().trim().min(1).max(255);
/** The same where it need not be given: an empty one is none. */
const optionalParticipantId = text().trim().max(255).exactOptional();

/** A person who is there, by either of the two. */
const naming = { participantID: optionalParticipantId, number: text().trim().max(256).exactOptional() };
export type Naming = z.output<z.ZodObject<typeof naming>>;

const isNamed = ({ participantID, number: given }: Naming) => Boolean(participantID || given);
const NOT_NAMED = { path: ["number"], message: "number or participantID is required" };

export const deleteAttendees = z.object({
  bulkDelAttendInfo: z.array(z.object(naming).refine(isNamed, NOT_NAMED)).min(1).max(MAX_BATCH),
});
export const hangUp = z.object({ bulkHangUpParticipants: z.array(participantId).min(1).max(MAX_BATCH) });
export const setRole = z.object({ applyChair: flag, chairmanPwd: text().max(255).exactOptional() });
export const setCohost = z.object({ isCohost: flag });
export const rename = z
  .object({ ...naming, newName: text().trim().min(1).max(96) })
  .refine(isNamed, NOT_NAMED);
export const mute = z.object({ isMute: flag });
export const muteAll = z.object({ isMute: flag, allowUnmuteByOneself: flag.exactOptional() });
export const lock = z.object({ isLock: flag });
export const prolong = z.object({
  auto: flag.exactOptional(),
  duration: z.int().min(1).max(1440).exactOptional().describe("Minutes; 15 if absent"),
});
export const hand = z.object({ handsState: flag });
export const hands = z.object({
  handsState: flag,
  pids: z.array(participantId).max(MAX_BATCH).exactOptional(),
});
export const allowWaiting = z
  .object({ participantID: optionalParticipantId, allowAll: z.boolean().exactOptional() })
  .refine(({ participantID, allowAll }) => Boolean(participantID || allowAll), {
    path: ["participantID"],
    message: "participantID is required unless allowAll is true",
  });
export const moveToWaiting = z.object({ participantID: participantId });
export const moveSeveralToWaiting = z.object({
  batchParticipants: z.array(participantId).min(1).max(MAX_BATCH),
});

export const login = z.object({
  account: text().min(1).max(255),
  clientType: z.int().min(0).max(255),
  createTokenType: flag.exactOptional(),
  HA2: text().max(4096).exactOptional(),
});
export const start = z.object({ conferenceID: text().min(1).max(64), password: text().max(255) });

const isReal = (given: string) => !Number.isNaN(parseTime(given));

/** `yyyy-MM-dd HH:mm`, in UTC. */
const startTime = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$/, "Must be like 2026-01-31 09:30")
  .refine(isReal, "Must be a time that there is");

/** Milliseconds since the epoch of a time of this wire; NaN for a time that there is not. */
export function parseTime(given: string): number {
  const at = Date.parse(`${given.replace(" ", "T")}:00Z`);
  return Number.isNaN(at) || formatTime(at) !== given ? NaN : at;
}

export function formatTime(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace("T", " ");
}

const configFields = {
  isSendNotify: z.boolean().exactOptional(),
  isSendSms: z.boolean().exactOptional(),
  isSendCalendar: z.boolean().exactOptional(),
  isAutoMute: z.boolean().exactOptional(),
  isHardTerminalAutoMute: z.boolean().exactOptional(),
  isGuestFreePwd: z.boolean().exactOptional(),
  callInRestriction: z.union([z.literal(0), z.literal(2), z.literal(3)]).exactOptional(),
  allowGuestStartConf: z.boolean().exactOptional(),
  vmrIDType: flag.exactOptional(),
  prolongLength: z.int().min(0).max(60).exactOptional(),
};

const config = z.object({
  ...configFields,
  guestPwd: z
    .string()
    .regex(/^\d{4,16}$/, "Must be 4 to 16 digits")
    .exactOptional(),
  enableWaitingRoom: z.boolean().exactOptional(),
});

/** What is kept of a conference and given back as it came: nothing here goes by it, but for `allowGuestStartConf`. */
export const conferenceSettings = {
  mediaTypes: text().max(255).exactOptional(),
  timeZoneID: text().max(64).exactOptional(),
  language: text().max(32).exactOptional(),
  isAutoRecord: flag.exactOptional(),
  recordType: z.int().min(0).max(3).exactOptional(),
  encryptMode: z.int().min(0).max(2).exactOptional(),
  confConfigInfo: z.strictObject(configFields).exactOptional(),
};
export type ConferenceSettings = z.output<z.ZodObject<typeof conferenceSettings>>;

const mediaTypes = z
  .string()
  .max(255)
  .refine(
    (given) => given.split(",").every((type) => ["Voice", "HDVideo", "Video", "Data"].includes(type.trim())),
    {
      message: "Must be of Voice, HDVideo, Video and Data, separated by commas",
    },
  );

const conferenceFields = {
  startTime: startTime.exactOptional(),
  length: z.int().min(15).max(1440).exactOptional().describe("Minutes; 30 if absent"),
  subject: text().trim().max(128).exactOptional(),
  attendees: attendees.exactOptional(),
  concurrentParticipants: z.int().min(0).max(100_000).exactOptional().describe("0: as many as there can be"),
  ...conferenceSettings,
  mediaTypes: mediaTypes.exactOptional(),
  confConfigInfo: config.exactOptional(),
};

export const createConference = z.object({ ...conferenceFields, mediaTypes });
export const editConference = z.object(conferenceFields);
export type ConferenceRequest = z.output<typeof editConference>;

const conferenceId = text().trim().min(1).max(64);
const searchKey = text().max(128).exactOptional();
const page = {
  offset: whole(0, 10_000).exactOptional().describe("0 if absent"),
  limit: whole(1, 500).exactOptional().describe("20 if absent"),
};
/** What clients of the vendor's portals send, and nothing here goes by. */
const ofPortal = { userUUID: short.exactOptional() };

export const queries = {
  none: {},
  ofConference: { conferenceID: conferenceId },
  ofParticipant: { conferenceID: conferenceId, participantID: participantId },
  ofConferenceForPortal: { conferenceID: conferenceId, ...ofPortal },
  create: ofPortal,
  cancel: {
    conferenceID: conferenceId,
    ...ofPortal,
    type: z.enum(["0", "1"]).exactOptional().describe("1: end a meeting that is on"),
  },
  conferences: { ...page, ...ofPortal, searchKey, queryAll: z.enum(["true", "false"]).exactOptional() },
  detail: { conferenceID: conferenceId, ...page, ...ofPortal, searchKey },
  attendees: { conf_id: conferenceId, ...page, search_key: searchKey },
};

const passwordEntry = z.object({ conferenceRole: z.enum(["chair", "general"]), password: z.string() });
const conferenceInfo = z.object({
  conferenceID: z.string(),
  subject: z.string(),
  size: z.int(),
  timeZoneID: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  conferenceState: z.enum(["Schedule", "Created", "Destroyed"]),
  mediaTypes: z.string(),
  language: z.string(),
  passwordEntry: z.array(passwordEntry),
  userUUID: z.string(),
  scheduserName: z.string(),
  conferenceType: z.int(),
  confType: z.string(),
  isAutoMute: flag,
  isAutoRecord: flag,
  chairJoinUri: z.string(),
  guestJoinUri: z.string(),
  confUUID: z.string(),
  confConfigInfo: config,
  vmrFlag: flag,
  role: z.string(),
  onlineAttendeeAmount: z.int(),
  concurrentParticipants: z.int(),
  partAttendeeInfo: z
    .array(z.object({ name: z.string(), phone: z.string(), type: z.string(), role: flag }))
    .exactOptional(),
});
export type ConferenceInfo = z.output<typeof conferenceInfo>;

const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), offset: z.int(), limit: z.int(), count: z.int() });

const participantInfo = z.object({
  participantID: z.string(),
  name: z.string(),
  subscriberID: z.string(),
  role: flag,
  state: z.string(),
  attendeeType: z.string(),
  accountId: z.string(),
  userUUID: z.string(),
  email: z.string(),
  sms: z.string(),
  phone2: z.string(),
  phone3: z.string(),
  deptName: z.string(),
});
const onlineAttendee = z.object({
  participant_id: z.string(),
  name: z.string(),
  call_number: z.string(),
  role: flag,
  third_account: z.string(),
  account: z.string(),
  user_id: z.string(),
});
export const realTimeInfo = z.object({
  attendees: z.array(
    z.object({ accountID: z.string(), userUUID: z.string(), name: z.string(), phone: z.string() }),
  ),
  participants: z.array(
    z.object({
      pid: z.string(),
      name: z.string(),
      phone: z.string(),
      state: z.int().min(0).max(2).describe("0: in the meeting, 1: invited, 2: in the waiting room"),
      video: flag,
      mute: flag,
      hand: flag,
    }),
  ),
  confInfo: z.object({ chairID: z.string(), coHosts: z.array(z.string()) }),
});

export const answers = {
  conferences: z.array(conferenceInfo),
  conferencePage: pageOf(conferenceInfo),
  detail: z.object({ conferenceData: conferenceInfo, data: pageOf(participantInfo) }),
  attendees: pageOf(onlineAttendee),
  realTimeInfo,
  started: z.object({ uuid: z.string(), regionIP: z.string() }),
  accessToken: z.object({
    accessToken: z.string(),
    clientType: z.int(),
    createTime: z.int().describe("Milliseconds since the epoch"),
    expireTime: z.int().describe("Seconds since the epoch"),
    validPeriod: z.int().describe("Seconds"),
    tokenType: z.int(),
    firstLogin: z.boolean(),
    pwdExpired: z.boolean(),
    user: z.object({
      userId: z.string(),
      ucloginAccount: z.string(),
      companyId: z.string(),
      name: z.string(),
    }),
  }),
  controlToken: z.object({
    data: z.object({
      token: z.string(),
      tmpWsToken: z.string(),
      wsURL: z.string(),
      role: z.int(),
      expireTime: z.int().describe("Milliseconds since the epoch"),
      userID: z.string(),
      orgID: z.string(),
      participantID: z.string(),
      confTokenExpireTime: z.int().describe("Seconds"),
      vmrCurrentConfID: z.string(),
      supportNotifyType: z.array(z.string()),
    }),
    addressToken: z.string(),
    gloablPublicIP: z.string(),
  }),
};
