/** Where webhooks may be sent: whoever registers an address makes the backend call it. */
import { fail } from "./errors";

/** Names that are no public ones, whatever they resolve to. */
const PRIVATE_NAMES = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;

/** Is this an https URL of a public name, or has the deployment given up on that for its development? */
export function isAllowedUrl(given: string): boolean {
  if (!URL.canParse(given)) return false;
  const url = new URL(given);
  if (url.username !== "" || url.password !== "") return false;
  if (process.env.WEBHOOKS_ALLOW_HTTP === "1") return url.protocol === "http:" || url.protocol === "https:";
  return url.protocol === "https:" && isPublicName(url.hostname.replace(/\.$/, ""));
}

/** WEBHOOK_URL_NOT_ALLOWED. */
export function requireAllowedUrl(url: string): void {
  if (!isAllowedUrl(url)) {
    fail("WEBHOOK_URL_NOT_ALLOWED", "The URL must be https, of a public host name, and without credentials");
  }
}

/** Addresses are no names, in whichever of their spellings: URLs bring IPv4 ones to the form with four numbers. */
function isPublicName(hostname: string): boolean {
  const isAddress = hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
  return !isAddress && hostname.includes(".") && !PRIVATE_NAMES.test(hostname);
}
