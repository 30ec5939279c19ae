import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { AudienceMessage, AudienceReply } from "./main";

/** All who look at lists, in a process of their own, so that whoever measures has nothing to do with what they are sent. */
export class Audience {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL("main.ts", import.meta.url)), {
    execArgv: ["--import", "tsx"],
  });
  readonly #replies: AudienceReply[] = [];
  #replied: () => void = () => undefined;

  constructor() {
    this.#child.on("message", (reply: AudienceReply) => this.#add(reply));
    this.#child.on("exit", () => this.#add({ error: "The audience has ended" }));
  }

  /** Signs in one subscriber for each token. */
  async connect(url: string, tokens: readonly string[]): Promise<void> {
    this.#send({ connect: { url, tokens } });
    await this.#next();
  }

  /** Lets each subscriber look at another list; resolves when all have their pages. */
  async watch(args: readonly object[]): Promise<void> {
    this.#send({ watch: args });
    await this.#next();
  }

  /**
   * Resolves when these subscribers wait for their next page: `seen` when all of them have it, and `lengths` to how many people
   * are on each.
   */
  async expectChange(
    watchers: readonly number[],
  ): Promise<{ seen: Promise<void>; lengths: Promise<number[]> }> {
    this.#send({ expect: watchers });
    await this.#next();
    const seen = this.#next().then(() => undefined);
    const lengths = seen.then(() => this.#next()).then((reply) => ("seen" in reply ? [...reply.seen] : []));
    return { seen, lengths };
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #next(): Promise<AudienceReply> {
    while (this.#replies.length === 0) await new Promise<void>((resolve) => (this.#replied = resolve));
    const [reply] = this.#replies.splice(0, 1);
    if (!reply || "error" in reply) throw new Error(reply?.error);
    return reply;
  }

  #add(reply: AudienceReply): void {
    this.#replies.push(reply);
    this.#replied();
  }

  #send(message: AudienceMessage): void {
    this.#child.send(message);
  }
}
