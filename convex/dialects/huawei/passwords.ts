/** The passwords of conferences. All but a guest password that an application has chosen follow from CREDENTIALS_KEY. */
import { fail } from "../../model/errors";
import { sha256 } from "../../model/secrets";

/** Nobody guesses it, which matters as it opens a meeting without any token. */
const HOST_DIGITS = 16;
/** Opens nothing to who has no access token. */
const GUEST_DIGITS = 6;

export async function hostPassword(conferenceId: string): Promise<string> {
  return digits(await keyedHash("host password", conferenceId), HOST_DIGITS);
}

/** The guest password of a conference for which none has been chosen. */
export async function guestPassword(conferenceId: string): Promise<string> {
  return digits(await keyedHash("guest password", conferenceId), GUEST_DIGITS);
}

/** What is kept of a guest password that has been chosen: without the key its few digits can't be found by trying. */
export function guestPasswordHash(conferenceId: string, chosen: string): Promise<string> {
  return keyedHash("chosen guest password", `${conferenceId} ${chosen}`);
}

async function keyedHash(purpose: string, text: string): Promise<string> {
  const key = process.env.CREDENTIALS_KEY;
  if (!key) fail("NOT_CONFIGURED", "CREDENTIALS_KEY is not set");
  return sha256(`${key} ${await sha256(`${key} huawei ${purpose} ${text}`)}`);
}

function digits(hash: string, count: number): string {
  return String(BigInt(`0x${hash}`) % 10n ** BigInt(count)).padStart(count, "0");
}
