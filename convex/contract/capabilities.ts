import * as z from "zod";

/** In which directions one kind of media may go between a person and the meeting. */
export const mediaCapability = z.enum(["SendReceive", "Send", "Receive", "None"]);
export type MediaCapability = z.infer<typeof mediaCapability>;

/** Does the person get this kind of media? */
export function receives(capability: MediaCapability): boolean {
  return capability === "Receive" || capability === "SendReceive";
}

/** May the person send this kind of media? */
export function sends(capability: MediaCapability): boolean {
  return capability === "Send" || capability === "SendReceive";
}

const fields = { audio: mediaCapability, video: mediaCapability, content: mediaCapability };

/** As they are stored: what has been checked on its way in. */
export const storedCapabilities = z.strictObject(fields);

export type Capabilities = z.infer<typeof storedCapabilities>;

/** Nobody receives content without receiving video, as content travels as video. */
export function fitTogether({ video, content }: Capabilities): boolean {
  return !receives(content) || receives(video);
}

/** Those of the three that are to be changed. They are checked together with those that stay. */
export const capabilityChanges = z.strictObject({
  audio: mediaCapability.exactOptional(),
  video: mediaCapability.exactOptional(),
  content: mediaCapability.exactOptional(),
});

/** All three are named. */
export const capabilities = z
  .strictObject(fields)
  .refine(fitTogether, {
    path: ["content"],
    message: "Content can only be received where video is received",
  })
  .describe("In which directions audio, video and shared content may go");
