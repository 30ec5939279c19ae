import { createHmac, timingSafeEqual } from "node:crypto";
import type { ComponentPath } from "./loadedApp";

/** How long an upload URL is good for. */
const UPLOAD_MS = 60 * 60 * 1000;

/** The URLs of files. Whoever has one may use it: those to download name a random key, those to upload are signed. */
export class FileUrls {
  #origin = "";

  /** `secret`: with which upload URLs are signed. */
  constructor(private readonly secret: Buffer) {}

  /** The origin under which files are served, such as "http://127.0.0.1:3210". */
  serveFrom(origin: string): void {
    this.#origin = origin;
  }

  download(blobKey: string): string {
    return `${this.#origin}/api/storage/${blobKey}`;
  }

  /** A URL to which one file of a component after the other may be posted for an hour. */
  upload(component: ComponentPath): string {
    const expiresAt = String(Date.now() + UPLOAD_MS);
    const token = `${expiresAt}.${this.#sign(expiresAt, component)}.${encodeURIComponent(component)}`;
    return `${this.#origin}/api/storage/upload?token=${token}`;
  }

  /** Whose files a token of an upload URL lets one store, or `null` if it is not ours or not good any more. */
  componentOf(token: string): ComponentPath | null {
    const [expiresAt = "", signature = "", component = ""] = token.split(".");
    const expected = Buffer.from(this.#sign(expiresAt, component));
    const given = Buffer.from(signature);
    const isOurs = given.length === expected.length && timingSafeEqual(given, expected);
    return isOurs && Number(expiresAt) > Date.now() ? component : null;
  }

  #sign(expiresAt: string, component: ComponentPath): string {
    const claim = component === "" ? `upload ${expiresAt}` : `upload ${expiresAt} to ${component}`;
    return createHmac("sha256", this.secret).update(claim).digest("base64url");
  }
}
