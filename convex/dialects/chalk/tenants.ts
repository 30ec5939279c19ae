import type * as z from "zod";
import type { Doc } from "../../_generated/dataModel";
import type { ConfigChanges } from "../../contract/tenants";
import { DEFAULT_EMPTY_TIMEOUT_MS } from "../../model/emptyMeetings";
import { DEFAULT_CONCURRENT_MEETINGS } from "../../model/meetings";
import { changeConfig } from "../../model/tenants";
import { type Answer, type ChalkCtx, requireTenant } from "./context";
import { refuse } from "./errors";
import type { InputOf } from "./operations";
import type { configChanges, Tenant } from "./wire";

const MINUTE_MS = 60_000;
/** What a tenant gets that allows early joining and does not say how early. */
const DEFAULT_EARLY_JOIN_MS = 15 * MINUTE_MS;

/** May rooms be made and opened by those who come? */
export function allowsEarlyJoin({ config }: Doc<"tenants">): boolean {
  return (config.earlyJoinMs ?? 0) > 0;
}

/** GET /tenants/{id}. */
export async function getTenant(ctx: ChalkCtx, { id }: InputOf<"GetTenant">): Promise<Answer> {
  return { body: describe(await requireOwn(ctx, id)) };
}

/** PATCH /tenants/{id}/config. */
export async function updateTenantConfig(
  ctx: ChalkCtx,
  { id, ...given }: InputOf<"UpdateTenantConfig">,
): Promise<Answer> {
  const tenant = await requireOwn(ctx, id);
  const config = await changeConfig(ctx, tenant, changesOf(tenant, given));
  return { body: describe({ ...tenant, config }) };
}

async function requireOwn(ctx: ChalkCtx, id: string): Promise<Doc<"tenants">> {
  const { tenantId } = requireTenant(ctx);
  if (id !== "me" && id !== tenantId) refuse("access denied: tenant mismatch");
  return (await ctx.db.get("tenants", tenantId)) as Doc<"tenants">;
}

function changesOf(tenant: Doc<"tenants">, given: z.output<typeof configChanges>): ConfigChanges {
  const {
    allow_early_join: early,
    force_recording: forceRecording,
    first_participant_is_host: firstParticipantIsHost,
    empty_room_timeout_minutes: emptyTimeoutMs,
    duplicate_participant_policy: policy,
  } = given;
  return {
    ...(early !== undefined &&
      early !== allowsEarlyJoin(tenant) && { earlyJoinMs: early ? DEFAULT_EARLY_JOIN_MS : null }),
    ...(forceRecording !== undefined && { forceRecording }),
    ...(firstParticipantIsHost !== undefined && { firstParticipantIsHost }),
    ...(emptyTimeoutMs !== undefined && { emptyTimeoutMs }),
    ...(policy !== undefined && {
      duplicatePolicy: policy === "reject" ? ("skip" as const) : ("return" as const),
    }),
  };
}

function describe(tenant: Doc<"tenants">): Tenant & Record<string, unknown> {
  const { _id: id, name, config } = tenant;
  return {
    id,
    name,
    max_concurrent_rooms: config.maxConcurrentMeetings ?? DEFAULT_CONCURRENT_MEETINGS,
    max_participants_per_room: config.maxParticipantsPerMeeting ?? null,
    config: {
      force_recording: config.forceRecording === true,
      auto_start_recording: false,
      allow_early_join: allowsEarlyJoin(tenant),
      empty_room_timeout_minutes: (config.emptyTimeoutMs ?? DEFAULT_EMPTY_TIMEOUT_MS) / MINUTE_MS,
      duplicate_participant_policy: config.duplicatePolicy === "skip" ? "reject" : "allow",
      first_participant_is_host: config.firstParticipantIsHost === true,
      transcription_enabled: false,
    },
  };
}
