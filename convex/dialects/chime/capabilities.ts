import { type Capabilities, capabilities as coreCapabilities } from "../../contract/capabilities";
import { effectiveCapabilities } from "../../model/capabilities";
import type { MeetingFeatures, WireCapabilities } from "./wire";

/** Capabilities in the words of the core. */
export function toCore({ Audio: audio, Video: video, Content: content }: WireCapabilities): Capabilities {
  return { audio, video, content };
}

/** What a person may do now, in the words of this wire. */
export function wireCapabilities(row: Parameters<typeof effectiveCapabilities>[0]): WireCapabilities {
  const { audio: Audio, video: Video, content: Content } = effectiveCapabilities(row, Date.now());
  return { Audio, Video, Content };
}

/** Why a person cannot be given such capabilities in a meeting with such features; null if they can. */
export function capabilitiesProblem(
  given: WireCapabilities,
  features: MeetingFeatures | undefined,
): string | null {
  for (const kind of ["Video", "Content"] as const) {
    if (features?.[kind]?.MaxResolution === "None" && given[kind] !== "None") {
      return `Capabilities.${kind} must be None, as the meeting has no ${kind.toLowerCase()}`;
    }
  }
  const problem = coreCapabilities.safeParse(toCore(given)).error?.issues[0];
  return problem ? `Capabilities.Content: ${problem.message}` : null;
}

/** What a person may do of whom nothing is said; undefined if that is everything. */
export function defaultCapabilities(features: MeetingFeatures | undefined): Capabilities | undefined {
  const hasVideo = features?.Video?.MaxResolution !== "None";
  const hasContent = features?.Content?.MaxResolution !== "None";
  if (hasVideo && hasContent) return undefined;
  const content = hasContent ? "SendReceive" : "None";
  // Content travels as video, so that it is received where video is.
  const videoForContent = hasContent ? "Receive" : "None";
  return { audio: "SendReceive", video: hasVideo ? "SendReceive" : videoForContent, content };
}
