/** Whether a subject gives the answers that all of them must give: only then are their figures comparable. */
import assert from "node:assert/strict";
import { MAX_BATCH } from "../convex/contract/participants";
import { INACTIVE, subjectOf, type WorldIds } from "./world";

export type SignToken = (subject: string) => Promise<string>;

type Body = {
  readonly status?: string;
  readonly value?: {
    readonly added?: readonly string[];
    readonly skipped?: readonly { readonly userId: string; readonly code: string; readonly reason: string }[];
    readonly participantCount?: number;
  };
  readonly errorMessage?: string;
  readonly errorData?: { readonly code?: string };
};

const ADD = "meetings/lifecycle/addMultipleParticipants";
const GET = "meetings/queries/getMeeting";

/** Asks for everything that may come of an entry or a request. Throws what is not as it must be. Uses the first meeting. */
export async function checkAnswers(
  url: string,
  ids: WorldIds,
  hostToken: string,
  sign: SignToken,
): Promise<void> {
  const [meetingId = ""] = ids.meetings;
  const [ann = "", ben = "", cid = "", dan = ""] = ids.users;
  const add = async (userIds: readonly string[], request: Partial<AddRequest> = {}) => {
    const participants = userIds.map((userId) => ({ userId, role: request.role ?? "participant" }));
    const token = request.token === undefined ? hostToken : request.token;
    return outcome(await post(url, ADD, token, { meetingId: request.meetingId ?? meetingId, participants }));
  };

  const strangers = [meetingId, "nonsense", ""];
  assert.deepEqual(await add([ann, ...strangers, ids.inactiveUser, ann, ben]), {
    added: 2,
    skipped: [
      ...strangers.map((userId) => `${userId} user_not_found User not found`),
      `${ids.inactiveUser} user_inactive User is deactivated`,
      `${ann} duplicate Listed more than once in this request`,
    ],
  });
  assert.deepEqual(await add([ben, cid]), {
    added: 1,
    skipped: [`${ben} already_participant Already a participant`],
  });
  assert.deepEqual(await add([ann, ben, cid], { meetingId: ids.smallMeeting }), {
    added: 2,
    skipped: [`${cid} meeting_full Meeting is full`],
  });
  assert.deepEqual(await add([]), { added: 0, skipped: [] });
  assert.deepEqual(await add([dan], { token: await sign(subjectOf(0)) }), "FORBIDDEN");
  assert.deepEqual(await add([dan], { token: await sign(INACTIVE) }), "USER_DEACTIVATED");
  assert.deepEqual(await add([dan], { token: await sign("user_unknown") }), "USER_NOT_PROVISIONED");
  assert.deepEqual(await add([dan], { token: null }), "UNAUTHENTICATED");
  assert.deepEqual(await add([dan], { token: tampered(hostToken) }), "UNAUTHENTICATED");
  assert.deepEqual(await add([dan], { meetingId: ann }), "MEETING_NOT_FOUND");
  assert.deepEqual(await add([dan], { role: "king" }), "INVALID_ARGUMENT");
  assert.deepEqual(await add(Array<string>(MAX_BATCH + 1).fill(dan)), "INVALID_ARGUMENT");
  assert.equal(await participantCount(url, hostToken, meetingId), 4);
  assert.equal(await participantCount(url, hostToken, ids.smallMeeting), 3);
}

/** What a meeting says how many people are in it, the host included. */
export async function participantCount(url: string, token: string, meetingId: string): Promise<number> {
  const { body } = await post(url, GET, token, { meetingId });
  const count = body.value?.participantCount;
  if (count === undefined) throw new Error(`No meeting: ${JSON.stringify(body).slice(0, 500)}`);
  return count;
}

type AddRequest = { readonly token: string | null; readonly meetingId: string; readonly role: string };

/** The number of people added and the others in words, or the error's code. */
function outcome({ status, body }: { status: number; body: Body }) {
  if (body.status === "success") {
    const { added = [], skipped = [] } = body.value ?? {};
    assert.equal(new Set(added).size, added.length, "Each participant has an id of their own");
    return {
      added: added.length,
      skipped: skipped.map(({ userId, code, reason }) => `${userId} ${code} ${reason}`),
    };
  }
  // The cloud origin refuses a token before any function runs, and says of ill-typed arguments what Convex says of them.
  if (status === 401) return "UNAUTHENTICATED";
  if (body.errorMessage?.includes("ArgumentValidationError")) return "INVALID_ARGUMENT";
  return body.errorData?.code ?? JSON.stringify(body);
}

async function post(url: string, path: string, token: string | null, args: object) {
  const response = await fetch(`${url}/api/run/${path}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ args }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

/** A token whose signature is another's. */
function tampered(token: string): string {
  const at = token.lastIndexOf(".") + 10;
  return token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
}
