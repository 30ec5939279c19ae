import { ChimeSDKMeetingsClient, CreateMeetingCommand } from "@aws-sdk/client-chime-sdk-meetings";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import type { TestServer } from "../server";

type Options = ConstructorParameters<typeof ChimeSDKMeetingsClient>[0];

/** Amazon's own client, told of another endpoint and other credentials and nothing else. */
export function chimeClient(
  { siteUrl }: Pick<TestServer, "siteUrl">,
  { accessKeyId, secretAccessKey }: Pick<NewCredentials, "accessKeyId" | "secretAccessKey">,
  options: Options = {},
): ChimeSDKMeetingsClient {
  return new ChimeSDKMeetingsClient({
    region: "us-east-1",
    endpoint: `${siteUrl}/chime`,
    credentials: { accessKeyId, secretAccessKey },
    ...options,
  });
}

/** A new meeting; its id. */
export async function newChimeMeeting(
  client: ChimeSDKMeetingsClient,
  input: Partial<ConstructorParameters<typeof CreateMeetingCommand>[0]> = {},
): Promise<string> {
  const { Meeting } = await client.send(
    new CreateMeetingCommand({
      ClientRequestToken: crypto.randomUUID(),
      MediaRegion: "us-east-1",
      ExternalMeetingId: "planning",
      ...input,
    }),
  );
  if (Meeting?.MeetingId === undefined) throw new Error("No meeting was made");
  return Meeting.MeetingId;
}

/** What was thrown. */
export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown");
}
