/** Pages of a web app in a real browser: bundled and served for the test, and opened in headless Chromium. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll } from "vitest";
import { PROJECT_FOLDER } from "./server";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(
  existsSync,
);

/** Whether there is a browser to test with. */
export const hasBrowser = CHROMIUM !== undefined;
if (!hasBrowser)
  console.warn("Tests in a browser are skipped: there is no Chromium. On Debian: apt-get install chromium");

const cleanups: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (let cleanUp = cleanups.pop(); cleanUp; cleanUp = cleanups.pop()) await cleanUp();
});

let browser: Promise<Browser> | undefined;

function launch(): Promise<Browser> {
  return (browser ??= chromium
    // Chromium's sandbox does not work for root, nor in most containers; the pages are our own.
    .launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox", "--disable-dev-shm-usage"] })
    .then((launched) => {
      cleanups.push(() => launched.close());
      return launched;
    }));
}

/** A page that is open in the browser. */
export type OpenPage = {
  readonly page: Page;
  /** What went wrong in the page and was not caught, and what it logged as errors. */
  readonly errors: readonly string[];
};

/**
 * Opens the page whose script is `entry`, a file in `react/`. `parameters` are in its URL. `prepare` may do something with the
 * page before it loads.
 */
export async function openPage(
  entry: string,
  parameters: Readonly<Record<string, string>>,
  prepare: (page: Page) => Promise<unknown> = () => Promise.resolve(),
): Promise<OpenPage> {
  const origin = await servePage(path.join(PROJECT_FOLDER, "tests/e2e/react", entry));
  return openUrl(`${origin}/?${new URLSearchParams(parameters).toString()}`, prepare);
}

/** Opens a page that is served already. */
export async function openUrl(
  url: string,
  prepare: (page: Page) => Promise<unknown> = () => Promise.resolve(),
): Promise<OpenPage> {
  const context = await (await launch()).newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  await prepare(page);
  await page.goto(url);
  return { page, errors };
}

/** Bundles a script and serves a page with it. Gives the origin. */
async function servePage(script: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [script],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"development"' },
    logLevel: "silent",
  });
  const files: Record<string, { type: string; text: string }> = {
    "/": {
      type: "text/html; charset=utf-8",
      text: '<!doctype html><link rel="icon" href="data:,"><div id="root"></div><script type="module" src="/page.js"></script>',
    },
    "/page.js": { type: "text/javascript", text: outputFiles[0]?.text ?? "" },
  };
  const server = createServer((request, response) => {
    const file = files[new URL(request.url ?? "/", "http://page").pathname];
    if (file) response.setHeader("Content-Type", file.type).end(file.text);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
