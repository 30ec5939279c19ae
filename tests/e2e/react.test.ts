/** The official React client in a real browser against the embedded server. */
import { ConvexHttpClient } from "convex/browser";
import { makeFunctionReference } from "convex/server";
import type { Page, WebSocketRoute } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { FIXTURE_APP } from "../embedded/harness";
import { hasBrowser, openPage, type OpenPage } from "./browser";
import { call, newMeeting, signIn, startServer, tokenFor, type TestServer } from "./server";

const add = makeFunctionReference<"mutation", { author: string; text: string; rank?: number }, string>(
  "notes:add",
);
const byAuthor = makeFunctionReference<"query", { author: string }, string[]>("notes:byAuthor");
const remove = makeFunctionReference<"mutation", { id: string }>("notes:remove");

let server: TestServer;

afterEach(() => {
  expect(server.faults).toEqual([]);
});

/** Resolves when an element shows this text. */
async function shows(page: Page, id: string, text: string): Promise<void> {
  const isShown = ([element, wanted]: string[]) =>
    document.querySelector(`#${element}`)?.textContent === wanted;
  try {
    await page.waitForFunction(isShown, [id, text], { timeout: 20_000 });
  } catch (cause) {
    const shown = await page.evaluate((element) => document.querySelector(`#${element}`)?.textContent, id);
    throw new Error(`#${id} shows ${JSON.stringify(shown)}, not ${JSON.stringify(text)}`, { cause });
  }
}

describe.runIf(hasBrowser)("a page over notes", () => {
  /** The page of an author, whose first notes have these ranks, and are called by them. */
  async function openNotes(ranks: readonly number[], prepare?: (page: Page) => Promise<unknown>) {
    server = await startServer({ appFolder: FIXTURE_APP });
    const client = new ConvexHttpClient(server.url, { logger: false });
    const ids = new Map<number, string>();
    const author = "ann";
    const put = async (rank: number) =>
      void ids.set(rank, await client.mutation(add, { author, text: String(rank), rank }));
    const drop = (rank: number) => client.mutation(remove, { id: ids.get(rank) ?? "" });
    for (const rank of ranks) await put(rank);
    const opened = await openPage("notes.tsx", { deployment: server.url, author }, prepare);
    return { ...opened, put, drop, client };
  }

  const click = ({ page }: OpenPage, id: string) => page.click(`#${id}`);

  test("shows a query's result, and each later one", async () => {
    const notes = await openNotes([]);
    await shows(notes.page, "all", "");
    await notes.put(1);
    await shows(notes.page, "all", "1");
    await notes.put(2);
    await shows(notes.page, "all", "1, 2");
    await notes.drop(1);
    await shows(notes.page, "all", "2");
    expect(notes.errors).toEqual([]);
  });

  test("shows an optimistic update until the mutation has ended, and what it did afterwards", async () => {
    const answers = new HeldAnswers();
    const notes = await openNotes([1], (page) => answers.holdOn(page));
    await shows(notes.page, "all", "1");
    answers.hold();
    await click(notes, "add");
    await shows(notes.page, "all", "1, hello (sending)");
    answers.release();
    await shows(notes.page, "all", "hello, 1");
    expect(notes.errors).toEqual([]);
  });

  test("takes an optimistic update back when the mutation fails, and gives the page the error's data", async () => {
    const answers = new HeldAnswers();
    const notes = await openNotes([1], (page) => answers.holdOn(page));
    await shows(notes.page, "all", "1");
    answers.hold();
    await click(notes, "fail");
    await shows(notes.page, "all", "1, in vain (sending)");
    answers.release();
    await shows(notes.page, "message", "refused");
    await shows(notes.page, "all", "1");
    expect(notes.errors).toEqual([expect.stringContaining("ConvexError: refused")]);
  });

  test("runs an action", async () => {
    const notes = await openNotes([]);
    await click(notes, "act");
    await shows(notes.page, "message", "2 added");
    await shows(notes.page, "all", "one, two");
    expect(notes.errors).toEqual([]);
  });

  test("shows pages without gaps or repetitions whatever comes and goes in them", async () => {
    const notes = await openNotes([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    const { page, put, drop } = notes;
    await shows(page, "pages", "0, 10, 20");
    await shows(page, "status", "CanLoadMore");
    await click(notes, "more");
    await shows(page, "pages", "0, 10, 20, 30, 40, 50");
    await put(15);
    await shows(page, "pages", "0, 10, 15, 20, 30, 40, 50");
    // The row on which the first page ends and the second one begins.
    await drop(20);
    await shows(page, "pages", "0, 10, 15, 30, 40, 50");
    // The row behind which the next page is to begin.
    await drop(50);
    await shows(page, "pages", "0, 10, 15, 30, 40");
    await click(notes, "more");
    await shows(page, "pages", "0, 10, 15, 30, 40, 60, 70, 80");
    await put(45);
    await shows(page, "pages", "0, 10, 15, 30, 40, 45, 60, 70, 80");
    await click(notes, "edit");
    await shows(page, "pages", "0, edited, 15, 30, 40, 45, 60, 70, 80");
    await click(notes, "more");
    await shows(page, "status", "Exhausted");
    await shows(page, "pages", "0, edited, 15, 30, 40, 45, 60, 70, 80, 90");
    await put(100);
    await shows(page, "pages", "0, edited, 15, 30, 40, 45, 60, 70, 80, 90, 100");
    expect(notes.errors).toEqual([]);
  });

  test("splits a page that has grown, and shows the same rows", async () => {
    const notes = await openNotes([0, 100, 200, 300]);
    const between = Array.from({ length: 12 }, (_, i) => i + 1);
    await shows(notes.page, "pages", "0, 100, 200");
    for (const rank of between) await notes.put(rank);
    await shows(notes.page, "pages", [0, ...between, 100, 200].join(", "));
    await notes.drop(6);
    const left = between.filter((rank) => rank !== 6);
    await shows(notes.page, "pages", [0, ...left, 100, 200].join(", "));
    await shows(notes.page, "status", "CanLoadMore");
    await click(notes, "more");
    await shows(notes.page, "pages", [0, ...left, 100, 200, 300].join(", "));
    expect(notes.errors).toEqual([]);
  });

  test("edits a row of a page at once, before the server knows", async () => {
    const answers = new HeldAnswers();
    const notes = await openNotes([0, 10], (page) => answers.holdOn(page));
    await shows(notes.page, "pages", "0, 10");
    answers.hold();
    await click(notes, "edit");
    await shows(notes.page, "pages", "0, edited (saving)");
    answers.release();
    await shows(notes.page, "pages", "0, edited");
    expect(notes.errors).toEqual([]);
  });

  test("goes on after a restart of the server, and sends what was waiting exactly once", async () => {
    const notes = await openNotes([1]);
    const { page } = notes;
    await shows(page, "all", "1");
    await shows(page, "connection", "connected");
    const { dataFolder } = server;
    const port = Number(new URL(server.url).port);
    await server.close();
    await shows(page, "connection", "disconnected");
    await click(notes, "add");
    await shows(page, "all", "1, hello (sending)");
    server = await startServer({ appFolder: FIXTURE_APP, dataFolder, port });
    await shows(page, "all", "hello, 1");
    await shows(page, "connection", "connected");
    const stored = new ConvexHttpClient(server.url, { logger: false }).query(byAuthor, { author: "ann" });
    expect(await stored).toEqual(["hello", "1"]);
  });
});

/** Stands between a page and the server, and holds back what the server says, for as long as the test wants. */
class HeldAnswers {
  #isHeld = false;
  readonly #held: (() => void)[] = [];

  holdOn(page: Page): Promise<void> {
    return page.routeWebSocket(/\/sync$/, (socket: WebSocketRoute) => {
      const upstream = socket.connectToServer();
      upstream.onMessage((message) => {
        if (this.#isHeld) this.#held.push(() => socket.send(message));
        else socket.send(message);
      });
    });
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const send of this.#held.splice(0)) send();
  }
}

describe.runIf(hasBrowser)("a page behind a sign-in", () => {
  test("signs in, gets new tokens while it shows live results, and signs out", async () => {
    server = await startServer();
    const host = await signIn(server, "host");
    const ann = await signIn(server, "ann");
    const meetingId = await newMeeting(server, host);
    let refreshes = 0;
    let onRefresh = () => undefined as void;
    const { page, errors } = await openPage(
      "people.tsx",
      { deployment: server.url, meeting: meetingId },
      (opening) =>
        opening.exposeFunction("fetchToken", (isRefresh: boolean) => {
          if (isRefresh) refreshes++;
          onRefresh();
          return tokenFor(server, "host@example.com", { expiresInSeconds: 4 });
        }),
    );
    await shows(page, "state", "signed out");
    await page.click("#sign-in");
    await shows(page, "me", "host@example.com");
    await shows(page, "people", "host: host");
    const before = refreshes;
    await new Promise<void>((resolve) => {
      onRefresh = () => {
        if (refreshes > before) resolve();
      };
    });
    const participants = [{ userId: ann.userId, role: "observer" }];
    await call(server, host.token, "meetings/lifecycle/addMultipleParticipants", { meetingId, participants });
    await shows(page, "people", "host: host, ann: observer");
    await page.click("#promote");
    await shows(page, "people", "host: host, ann: co-host");
    await shows(page, "state", "signed in");
    await page.click("#sign-out");
    await shows(page, "state", "signed out");
    expect(errors).toEqual([]);
  });
});
