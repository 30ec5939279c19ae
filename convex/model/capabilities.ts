import type { Doc } from "../_generated/dataModel";
import { type Capabilities, type MediaCapability, receives, sends } from "../contract/capabilities";

/** What whoever has no capabilities of their own may do, as far as the role lets them. */
export const EVERYTHING: Capabilities = {
  audio: "SendReceive",
  video: "SendReceive",
  content: "SendReceive",
};

type Bearer = Pick<Doc<"meetingParticipants">, "role" | "capabilities" | "blockedUntil">;

/** What a person may do at a time: observers and those who are blocked send nothing. */
export function effectiveCapabilities(bearer: Bearer, now: number): Capabilities {
  const { audio, video, content } = bearer.capabilities ?? EVERYTHING;
  if (!isSilent(bearer, now)) return { audio, video, content };
  return { audio: receiving(audio), video: receiving(video), content: receiving(content) };
}

/** May the person send nothing at all at this time? */
function isSilent({ role, blockedUntil = 0 }: Bearer, now: number): boolean {
  return role === "observer" || blockedUntil > now;
}

function receiving(capability: MediaCapability): MediaCapability {
  return receives(capability) ? "Receive" : "None";
}

/** What two people may do both, of whom either may have no capabilities of their own. They fit together if those of each do. */
export function common(
  one: Capabilities | undefined,
  other: Capabilities | undefined,
): Capabilities | undefined {
  if (!one || !other) return one ?? other;
  return {
    audio: commonDirections(one.audio, other.audio),
    video: commonDirections(one.video, other.video),
    content: commonDirections(one.content, other.content),
  };
}

function commonDirections(one: MediaCapability, other: MediaCapability): MediaCapability {
  if (one === "SendReceive" || one === other) return other;
  return other === "SendReceive" ? one : "None";
}

/** The sources of media, by LiveKit's names. */
export type MediaSource = "microphone" | "camera" | "screen_share" | "screen_share_audio";

/** What a media server lets a person do. It knows one permission to receive for all kinds of media. */
export interface MediaPermission {
  sources: MediaSource[];
  canSubscribe: boolean;
  canPublishData: boolean;
}

/** What a media server is told of a person. */
export function mediaPermission(bearer: Bearer, now: number): MediaPermission {
  const capabilities = effectiveCapabilities(bearer, now);
  const { audio, video, content } = capabilities;
  return {
    sources: [
      ...(sends(audio) ? (["microphone"] as const) : []),
      ...(sends(video) ? (["camera"] as const) : []),
      ...(sends(content) ? (["screen_share", "screen_share_audio"] as const) : []),
    ],
    canSubscribe: Object.values(capabilities).some(receives),
    canPublishData: !isSilent(bearer, now),
  };
}
