import type { Doc } from "../../_generated/dataModel";
import type { Answer, ChimeCtx } from "./context";
import { refusalOf, refuse } from "./errors";
import { ARN_OF_MEETINGS, findDetails, keepDetails } from "./meetings";
import { requireMeeting } from "./names";
import type { InputOf } from "./operations";
import { MAX_TAGS, meetingId } from "./wire";

/** ListTagsForResource. ResourceNotFoundException. */
export async function listTags(ctx: ChimeCtx, { arn }: InputOf<"ListTagsForResource">): Promise<Answer> {
  const meeting = await requireResource(ctx, arn ?? "");
  return { body: { Tags: (await findDetails(ctx, meeting))?.tags ?? [] } };
}

/** TagResource. ResourceNotFoundException, TooManyTagsException. */
export async function tagResource(ctx: ChimeCtx, input: InputOf<"TagResource">): Promise<Answer> {
  const meeting = await requireResource(ctx, input.ResourceARN);
  const given = new Set(input.Tags.map(({ Key }) => Key));
  const kept = (await findDetails(ctx, meeting))?.tags?.filter(({ Key }) => !given.has(Key)) ?? [];
  const tags = [...kept, ...input.Tags];
  if (tags.length > MAX_TAGS) refuse("TooManyTagsException", `A resource has at most ${MAX_TAGS} tags`);
  await keepDetails(ctx, meeting, { tags });
  return {};
}

/** UntagResource. ResourceNotFoundException. */
export async function untagResource(ctx: ChimeCtx, input: InputOf<"UntagResource">): Promise<Answer> {
  const meeting = await requireResource(ctx, input.ResourceARN);
  const taken = new Set(input.TagKeys);
  const tags = (await findDetails(ctx, meeting))?.tags?.filter(({ Key }) => !taken.has(Key)) ?? [];
  await keepDetails(ctx, meeting, { tags });
  return {};
}

async function requireResource(ctx: ChimeCtx, arn: string): Promise<Doc<"meetings">> {
  const { data: id } = meetingId.safeParse(
    arn.startsWith(ARN_OF_MEETINGS) ? arn.slice(ARN_OF_MEETINGS.length) : "",
  );
  try {
    if (id !== undefined) return await requireMeeting(ctx, id);
  } catch (error) {
    if (refusalOf(error)?.exception !== "NotFoundException") throw error;
  }
  return refuse("ResourceNotFoundException", "There is no such resource");
}
