import { createHmac, timingSafeEqual } from "node:crypto";

/** How long an upload URL is good for. */
const UPLOAD_MS = 60 * 60 * 1000;

/** The URLs of files. Whoever has one may use it: those to download name a random key, those to upload are signed. */
export class FileUrls {
  #origin = "";

  /** `secret`: with which upload URLs are signed. */
  constructor(
    private readonly secret: Buffer,
    private readonly now: () => number = Date.now,
  ) {}

  /** The origin under which files are served, such as "http://127.0.0.1:3210". */
  serveFrom(origin: string): void {
    this.#origin = origin;
  }

  download(blobKey: string): string {
    return `${this.#origin}/api/storage/${blobKey}`;
  }

  /** A URL to which one file after the other may be posted for an hour. */
  upload(): string {
    const expiresAt = String(this.now() + UPLOAD_MS);
    return `${this.#origin}/api/storage/upload?token=${expiresAt}.${this.#sign(expiresAt)}`;
  }

  /** Whether a token of an upload URL is ours and still good. */
  isGood(token: string): boolean {
    const [expiresAt = "", signature = ""] = token.split(".");
    const expected = Buffer.from(this.#sign(expiresAt));
    const given = Buffer.from(signature);
    return (
      given.length === expected.length && timingSafeEqual(given, expected) && Number(expiresAt) > this.now()
    );
  }

  #sign(expiresAt: string): string {
    return createHmac("sha256", this.secret).update(`upload ${expiresAt}`).digest("base64url");
  }
}
