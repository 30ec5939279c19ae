/** The shapes of the Amazon Chime SDK meetings API, version 2021-07-15, with its limits. Unknown fields are ignored. */
import * as z from "zod";
import { mediaCapability } from "../../contract/capabilities";
import { text } from "../../contract/text";

const GUID = "[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}";

export const attendeeId = z.string().regex(new RegExp(`^${GUID}$`), "Must be a GUID");
export const meetingId = z
  .string()
  .regex(new RegExp(`^(${GUID}|[a-z0-9]{32})$`), "Must be a GUID, or the id of a meeting in the Connvo API");

/** What applications call their meetings and users. */
const external = z
  .string()
  .min(2)
  .max(64)
  .regex(/^[-_&@+=,(){}[\]/«».:|'"#a-zA-Z0-9À-ÿ\s]*$/u, "Has characters that are not allowed")
  .refine((value) => !/^aws:/i.test(value), "Names that begin with aws: are reserved");

const externalUserId = external;

/** May a person be called so? */
export function isExternalUserId(name: string): boolean {
  return externalUserId.safeParse(name).success;
}

/** All three are required. */
const capabilities = z.object({
  Audio: mediaCapability,
  Video: mediaCapability,
  Content: mediaCapability,
});
export type WireCapabilities = z.infer<typeof capabilities>;

const attendeeItem = z.object({ ExternalUserId: externalUserId, Capabilities: capabilities.exactOptional() });
export type AttendeeItem = z.infer<typeof attendeeItem>;

export const createAttendee = attendeeItem;
export const batchCreateAttendee = z.object({ Attendees: z.array(attendeeItem).min(1).max(100) });

export const updateCapabilities = z.object({ Capabilities: capabilities });
export const updateCapabilitiesExcept = z.object({
  ExcludedAttendeeIds: z
    .array(z.object({ AttendeeId: attendeeId }))
    .min(1)
    .max(250),
  Capabilities: capabilities,
});

const MAX_ATTENDEES = 250;
const MAX_ATTENDEES_IN_HIGH_RESOLUTION = 25;

const meetingFeatures = z.object({
  Audio: z.object({ EchoReduction: z.enum(["AVAILABLE", "UNAVAILABLE"]).exactOptional() }).exactOptional(),
  Video: z.object({ MaxResolution: z.enum(["None", "HD", "FHD"]).exactOptional() }).exactOptional(),
  Content: z.object({ MaxResolution: z.enum(["None", "FHD", "UHD"]).exactOptional() }).exactOptional(),
  Attendee: z.object({ MaxCount: z.int().min(1).max(MAX_ATTENDEES).exactOptional() }).exactOptional(),
});
export type MeetingFeatures = z.infer<typeof meetingFeatures>;

/** How many attendees a meeting with such features takes. */
export function maxAttendees(features: MeetingFeatures | undefined): number {
  return features?.Attendee?.MaxCount ?? MAX_ATTENDEES;
}

const givenFeatures = meetingFeatures.refine(
  ({ Video, Content, Attendee }) =>
    (Video?.MaxResolution !== "FHD" && Content?.MaxResolution !== "UHD") ||
    (Attendee?.MaxCount !== undefined && Attendee.MaxCount <= MAX_ATTENDEES_IN_HIGH_RESOLUTION),
  {
    path: ["Attendee", "MaxCount"],
    message: `With FHD video or UHD content it is required, and at most ${MAX_ATTENDEES_IN_HIGH_RESOLUTION}`,
  },
);

const tagKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[a-zA-Z+\-=._:/0-9 @]+$/, "Has characters that are not allowed")
  .refine((key) => !/^aws:/i.test(key), "Keys that begin with aws: are reserved");
export const tag = z.object({ Key: tagKey, Value: text().max(256) });

/** A resource has no more tags than this. */
export const MAX_TAGS = 50;

const tags = z
  .array(tag)
  .min(1)
  .max(MAX_TAGS)
  .refine((given) => new Set(given.map(({ Key }) => Key)).size === given.length, "A key is given twice");

export const resourceArn = z
  .string()
  .min(1)
  .max(1011)
  .regex(/^arn[/:\-_.a-zA-Z0-9]+$/, "Must be an ARN");
export const tagResource = z.object({ ResourceARN: resourceArn, Tags: tags });
export const untagResource = z.object({
  ResourceARN: resourceArn,
  TagKeys: z.array(tagKey).min(1).max(MAX_TAGS),
});

const arn = z.string().min(1).max(1024).regex(/^arn:/, "Must be an ARN");
const mediaRegion = text().min(2).max(64);
const tenantId = z
  .string()
  .min(2)
  .max(256)
  .regex(/^[-_!@#$a-zA-Z0-9]*$/, "Has characters that are not allowed")
  .refine((value) => !/(.)\1{3}/.test(value), "Has a character four times in a row");

export const createMeeting = z.object({
  ClientRequestToken: z
    .string()
    .min(2)
    .max(64)
    .regex(/^[-_a-zA-Z0-9]*$/, "Has characters that are not allowed"),
  MediaRegion: mediaRegion,
  MeetingHostId: external.exactOptional().describe("Kept and given back"),
  ExternalMeetingId: external,
  NotificationsConfiguration: z
    .object({
      LambdaFunctionArn: arn.exactOptional(),
      SnsTopicArn: arn.exactOptional(),
      SqsQueueArn: arn.exactOptional(),
    })
    .exactOptional()
    .describe("Taken and not used: nothing is sent to AWS"),
  MeetingFeatures: givenFeatures.exactOptional(),
  PrimaryMeetingId: z
    .string()
    .max(64)
    .exactOptional()
    .describe("Refused: the media of a meeting cannot be replicated here"),
  TenantIds: z.array(tenantId).min(1).max(5).exactOptional().describe("Kept and given back"),
  Tags: tags.exactOptional(),
  MediaPlacementNetworkType: z.enum(["Ipv4Only", "DualStack"]).exactOptional().describe("Taken and not used"),
});

export const createMeetingWithAttendees = createMeeting.extend({
  Attendees: z.array(attendeeItem).min(1).max(20),
});

const name = z.string().min(1).max(200);
const listOfNames = z.string().min(1).max(3000);
const transcribeSettings = z.object({
  LanguageCode: name.exactOptional(),
  VocabularyFilterMethod: z.enum(["remove", "mask", "tag"]).exactOptional(),
  VocabularyFilterName: name.exactOptional(),
  VocabularyName: name.exactOptional(),
  Region: name.exactOptional(),
  EnablePartialResultsStabilization: z.boolean().exactOptional(),
  PartialResultsStability: z.enum(["low", "medium", "high"]).exactOptional(),
  ContentIdentificationType: z.literal("PII").exactOptional(),
  ContentRedactionType: z.literal("PII").exactOptional(),
  PiiEntityTypes: z.string().max(300).exactOptional(),
  LanguageModelName: name.exactOptional(),
  IdentifyLanguage: z.boolean().exactOptional(),
  LanguageOptions: name.exactOptional(),
  PreferredLanguage: name.exactOptional(),
  VocabularyNames: listOfNames.exactOptional(),
  VocabularyFilterNames: listOfNames.exactOptional(),
});
const transcribeMedicalSettings = z.object({
  LanguageCode: z.literal("en-US"),
  Specialty: z.enum(["PRIMARYCARE", "CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "RADIOLOGY", "UROLOGY"]),
  Type: z.enum(["CONVERSATION", "DICTATION"]),
  VocabularyName: name.exactOptional(),
  Region: name.exactOptional(),
  ContentIdentificationType: z.literal("PHI").exactOptional(),
});
export const transcriptionConfiguration = z.object({
  EngineTranscribeSettings: transcribeSettings.exactOptional(),
  EngineTranscribeMedicalSettings: transcribeMedicalSettings.exactOptional(),
});
export type TranscriptionConfiguration = z.infer<typeof transcriptionConfiguration>;
export const startTranscription = z.object({ TranscriptionConfiguration: transcriptionConfiguration });

/** `max-results` and `next-token` of a list. */
export const page = {
  "max-results": z
    .string()
    .regex(/^[1-9][0-9]?$|^100$/, "Must be a number from 1 to 100")
    .exactOptional()
    .describe("100 if absent"),
  "next-token": z.string().max(4096).exactOptional(),
};

const attendee = z.object({
  ExternalUserId: z.string(),
  AttendeeId: z.string(),
  JoinToken: z
    .string()
    .min(2)
    .max(2048)
    .exactOptional()
    .describe("For the media server; absent while the meeting is not active, or the person may not come in"),
  Capabilities: capabilities,
});
export type Attendee = z.infer<typeof attendee>;

const attendeeError = z.object({
  ExternalUserId: z.string(),
  ErrorCode: z.string(),
  ErrorMessage: z.string(),
});

/** What an application has said of a meeting, in the words of this wire. */
export const meetingDetails = z.object({
  MeetingHostId: z.string().exactOptional(),
  ExternalMeetingId: z.string(),
  MediaRegion: z.string(),
  MeetingFeatures: meetingFeatures.exactOptional(),
  TenantIds: z.array(z.string()).exactOptional(),
});

const mediaUrl = z.string().exactOptional();

const meeting = meetingDetails.partial().extend({
  MeetingId: z.string(),
  MediaPlacement: z
    .object({ AudioHostUrl: mediaUrl, AudioFallbackUrl: mediaUrl, SignalingUrl: mediaUrl })
    .describe("Where the media server is, which is a LiveKit server; empty if there is none"),
  MeetingArn: z.string(),
});
export type Meeting = z.infer<typeof meeting>;

export const meetingAnswer = z.object({ Meeting: meeting });
export const attendeeAnswer = z.object({ Attendee: attendee });
export const batchAnswer = z.object({ Attendees: z.array(attendee), Errors: z.array(attendeeError) });
export const meetingWithAttendeesAnswer = meetingAnswer.extend(batchAnswer.shape);
export const attendeesAnswer = z.object({
  Attendees: z.array(attendee),
  NextToken: z.string().exactOptional(),
});
export const tagsAnswer = z.object({ Tags: z.array(tag) });
