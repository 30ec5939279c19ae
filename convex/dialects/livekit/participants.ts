import type { Doc } from "../../_generated/dataModel";
import type { Capabilities, MediaCapability } from "../../contract/capabilities";
import { attributes as attributesSchema } from "../../contract/participantData";
import { openAsTenant } from "../../model/access";
import { mediaPermission } from "../../model/capabilities";
import { parse } from "../../model/parse";
import { patchParticipants } from "../../model/participants";
import { removeParticipants } from "../../model/removeParticipants";
import { type LivekitCtx, requireAdministered, requireParticipant } from "./context";
import { refuse } from "./errors";
import type { InputOf } from "./operations";
import { MAX_LISTED, type ParticipantInfo, type Permission } from "./wire";

type Row = Doc<"meetingParticipants">;

/** Metadata are one text, which is kept among the attributes under this name. */
const METADATA = "metadata";

const states = { invited: "JOINING", waiting: "JOINING", joined: "ACTIVE", left: "DISCONNECTED" } as const;

export async function listParticipants(
  ctx: LivekitCtx,
  { room }: InputOf<"ListParticipants">,
): Promise<{ participants: ParticipantInfo[] }> {
  const { _id: meetingId } = await requireAdministered(ctx, room);
  const rows = await ctx.db
    .query("meetingParticipants")
    .withIndex("by_meeting_and_user", (q) => q.eq("meetingId", meetingId))
    .take(MAX_LISTED + 1);
  if (rows.length > MAX_LISTED) {
    refuse(
      "resource_exhausted",
      `there are more than ${MAX_LISTED} people, whom the Connvo API lists in pages`,
    );
  }
  return { participants: await Promise.all(rows.map((row) => describe(ctx, row))) };
}

export async function getParticipant(
  ctx: LivekitCtx,
  { room, identity }: InputOf<"GetParticipant">,
): Promise<ParticipantInfo> {
  return describe(ctx, await requireParticipant(ctx, await requireAdministered(ctx, room), identity));
}

export async function updateParticipant(
  ctx: LivekitCtx,
  { room, identity, name, permission, ...given }: InputOf<"UpdateParticipant">,
): Promise<ParticipantInfo> {
  const meeting = await requireAdministered(ctx, room);
  const row = await requireParticipant(ctx, meeting, identity);
  const edit = await openAsTenant(ctx, ctx.principal, meeting._id, "change");
  const attributes = { ...given.attributes, ...(given.metadata && { [METADATA]: given.metadata }) };
  const fields = {
    ...(name && { displayName: name }),
    ...(Object.keys(attributes).length > 0 && { attributes: merged(row, attributes) }),
    ...(permission && { capabilities: capabilitiesOf(permission) }),
  };
  edit.event("participants.updated", await patchParticipants(edit, [{ row, fields }]));
  await edit.save();
  return describe(ctx, (await ctx.db.get("meetingParticipants", row._id)) as Row);
}

export async function removeParticipant(
  ctx: LivekitCtx,
  { room, identity }: InputOf<"RemoveParticipant">,
): Promise<Record<string, never>> {
  const meeting = await requireAdministered(ctx, room);
  const row = await requireParticipant(ctx, meeting, identity);
  const edit = await openAsTenant(ctx, ctx.principal, meeting._id, "change");
  await removeParticipants(edit, [row]);
  await edit.save();
  return {};
}

function merged(row: Row, given: Record<string, string>): Record<string, string> {
  const all = Object.entries({ ...row.attributes, ...given }).filter(([, value]) => value !== "");
  return parse(attributesSchema, Object.fromEntries(all));
}

function capabilitiesOf({ canSubscribe, canPublish, canPublishSources }: Permission): Capabilities {
  const capability = (source: Permission["canPublishSources"][number]): MediaCapability => {
    const sends = canPublish && (canPublishSources.length === 0 || canPublishSources.includes(source));
    if (sends) return canSubscribe ? "SendReceive" : "Send";
    return canSubscribe ? "Receive" : "None";
  };
  return {
    audio: capability("MICROPHONE"),
    video: capability("CAMERA"),
    content: capability("SCREEN_SHARE"),
  };
}

async function describe({ db }: LivekitCtx, row: Row): Promise<ParticipantInfo> {
  const { _id, userId, guestId, presence, joinedAt = 0 } = row;
  const person = userId ? await db.get("users", userId) : guestId && (await db.get("guests", guestId));
  const { [METADATA]: metadata = "", ...attributes } = row.attributes ?? {};
  const { sources, canSubscribe, canPublishData } = mediaPermission(row, Date.now());
  return {
    sid: `PA_${_id}`,
    identity: _id,
    state: states[presence],
    metadata,
    joinedAt: String(Math.floor(joinedAt / 1000)),
    name: row.displayName ?? person?.displayName ?? "",
    attributes,
    permission: {
      canSubscribe,
      canPublish: sources.length > 0,
      canPublishData,
      canPublishSources: sources.map((source) => source.toUpperCase()),
    },
  };
}
