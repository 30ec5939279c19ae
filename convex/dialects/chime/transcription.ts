/** Nothing here transcribes: that a meeting is to be transcribed is kept, and told in its events to whoever does. */
import type { Doc } from "../../_generated/dataModel";
import { openAsTenant } from "../../model/access";
import type { Answer, ChimeCtx } from "./context";
import { refuse } from "./errors";
import { findDetails, keepDetails } from "./meetings";
import { requireMeeting } from "./names";
import type { InputOf } from "./operations";
import type { TranscriptionConfiguration } from "./wire";

/** StartMeetingTranscription; it may be started again in another way. UnprocessableEntityException. */
export async function startTranscription(
  ctx: ChimeCtx,
  input: InputOf<"StartMeetingTranscription">,
): Promise<Answer> {
  const meeting = await requireActive(ctx, input.MeetingId);
  requireOneEngine(input.TranscriptionConfiguration);
  await changeTranscription(ctx, meeting, input.TranscriptionConfiguration);
  return {};
}

/** StopMeetingTranscription; nothing happens if it was not started. UnprocessableEntityException. */
export async function stopTranscription(
  ctx: ChimeCtx,
  input: InputOf<"StopMeetingTranscription">,
): Promise<Answer> {
  await changeTranscription(ctx, await requireActive(ctx, input.MeetingId), undefined);
  return {};
}

async function requireActive(ctx: ChimeCtx, MeetingId: string): Promise<Doc<"meetings">> {
  const meeting = await requireMeeting(ctx, MeetingId);
  if (meeting.state !== "active") refuse("UnprocessableEntityException", "The meeting has not begun");
  return meeting;
}

function requireOneEngine(configuration: TranscriptionConfiguration): void {
  const { EngineTranscribeSettings: engine, EngineTranscribeMedicalSettings: medical } = configuration;
  if ((engine === undefined) === (medical === undefined)) {
    refuse("BadRequestException", "TranscriptionConfiguration: Exactly one engine must be named");
  }
  if (engine && (engine.LanguageCode === undefined) === (engine.IdentifyLanguage !== true)) {
    refuse("BadRequestException", "Exactly one of LanguageCode and IdentifyLanguage must be given");
  }
}

async function changeTranscription(
  ctx: ChimeCtx,
  meeting: Doc<"meetings">,
  transcription: TranscriptionConfiguration | undefined,
): Promise<void> {
  const before = (await findDetails(ctx, meeting))?.transcription;
  if (JSON.stringify(before) === JSON.stringify(transcription)) return;
  const edit = await openAsTenant(ctx, ctx.principal, meeting._id, "change");
  await keepDetails(ctx, meeting, { transcription });
  edit.event("meeting.updated", [
    {
      subject: meeting._id,
      before: { transcription: before ?? null },
      after: { transcription: transcription ?? null },
    },
  ]);
  await edit.save();
}
