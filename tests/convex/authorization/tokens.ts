import { vi } from "vitest";
import { api } from "../../../convex/_generated/api";
import { type Expected, hosts, participants, type Rows, type Stage, users } from "./stage";

const ofMeeting = ({ meetingId }: Stage) => ({ meetingId });

/** For whoever holds the token in the arguments, with or without an account. */
const anyone: Expected = { ...users, nobody: "ok", stranger: "ok", deactivated: "ok" };

async function startWithMediaServer({ host, meetingId }: Stage): Promise<void> {
  vi.stubEnv("LIVEKIT_URL", "ws://127.0.0.1:9");
  vi.stubEnv("LIVEKIT_API_KEY", "key");
  vi.stubEnv("LIVEKIT_API_SECRET", "secret");
  await host.as.mutation(api.meetings.lifecycle.startMeeting, { meetingId });
}

/** The host's tokens, by the stage on which they were issued. */
const issued = new WeakMap<Stage, { refreshToken: string; token: string; controlToken: string }>();

async function issueTokens(stage: Stage): Promise<void> {
  const { host, meetingId } = stage;
  await startWithMediaServer(stage);
  const { connectionInfo } = await host.as.action(api.meetings.lifecycle.getMeetingConnectionInfo, {
    meetingId,
  });
  const { controlToken } = await host.as.action(api.meetings.tokens.createControlToken, { meetingId });
  const { refreshToken, streamToken: token } = connectionInfo;
  issued.set(stage, { refreshToken, token, controlToken });
}

const one = (name: "refreshToken" | "token" | "controlToken") => (stage: Stage) => ({
  [name]: issued.get(stage)?.[name],
});

export const meetingsTokens: Rows = {
  "meetings/lifecycle/getMeetingConnectionInfo": {
    expected: participants,
    args: ofMeeting,
    prepare: startWithMediaServer,
  },
  "meetings/lifecycle/refreshJoinToken": {
    expected: anyone,
    args: one("refreshToken"),
    prepare: issueTokens,
  },
  "meetings/tokens/checkJoinToken": { expected: anyone, args: one("token"), prepare: issueTokens },
  "meetings/tokens/createControlToken": { expected: hosts, args: ofMeeting, prepare: startWithMediaServer },
  "meetings/tokens/checkControlToken": { expected: anyone, args: one("controlToken"), prepare: issueTokens },
};
