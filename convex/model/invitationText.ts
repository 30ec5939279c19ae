import type { Doc } from "../_generated/dataModel";

/** What an invitation says, whatever the channel. With INVITATION_URL it has a link, which ends with the secret. */
export function invitationText({
  meeting: { title, scheduledAt },
  invitation: { expiresAt },
  inviter = "Somebody",
  secret,
}: {
  meeting: Doc<"meetings">;
  invitation: Doc<"invitations">;
  inviter: string | undefined;
  secret: string;
}): string {
  const when = scheduledAt === undefined ? "" : ` on ${timeText(scheduledAt)}`;
  const link = process.env.INVITATION_URL;
  return [
    `${inviter} invites you to the meeting "${title}"${when}.`,
    link ? `Accept or decline: ${link}${secret}` : `The code of your invitation: ${secret}`,
    `It is good until ${timeText(expiresAt)}. Whoever has it can accept in your place, so keep it to yourself.`,
  ].join("\n\n");
}

/** Like `2026-11-21 06:40 UTC`. */
function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
