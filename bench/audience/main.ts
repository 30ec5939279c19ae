/** The process in which subscribers look at lists: does what comes over the channel to its parent, one thing after another. */
import { Subscriber } from "./subscriber";

export type AudienceMessage =
  | { readonly connect: { readonly url: string; readonly tokens: readonly string[] } }
  /** What each of the subscribers is to look at. */
  | { readonly watch: readonly object[] }
  /** Which subscribers are to see a change. */
  | { readonly expect: readonly number[] };

export type AudienceReply =
  | { readonly done: true }
  /** How many people each of those has on its page who were to see a change, all of whom have seen it now. */
  | { readonly seen: readonly number[] }
  | { readonly error: string };

let subscribers: readonly Subscriber[] = [];

process.on("message", (message: AudienceMessage) => {
  perform(message).then(reply, (error: unknown) =>
    reply({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));

async function perform(message: AudienceMessage): Promise<AudienceReply> {
  if ("connect" in message) {
    for (const subscriber of subscribers) subscriber.close();
    const { url, tokens } = message.connect;
    subscribers = await Promise.all(tokens.map((token) => Subscriber.connect(url, token)));
  } else if ("watch" in message) {
    await Promise.all(subscribers.map((subscriber, i) => subscriber.watch(message.watch[i] ?? {})));
  } else {
    const watchers = subscribers.filter((_, i) => message.expect.includes(i));
    const changes = Promise.all(watchers.map((watcher) => watcher.change()));
    reply({ done: true });
    await changes;
    reply({ done: true });
    // Only now, as the time until here is what is measured.
    return { seen: watchers.map((watcher) => watcher.length()) };
  }
  return { done: true };
}

function reply(message: AudienceReply): void {
  process.send?.(message);
}
