/** The documentation page, as a reader sees it in a browser. */
import { expect, test } from "vitest";
import { hasBrowser, openUrl } from "./browser";
import { spawnServer } from "./server";

test.skipIf(!hasBrowser)(
  "the reader chooses among the documents of this API and of other systems' wires, without any other server",
  async () => {
    const server = await spawnServer();
    const elsewhere: string[] = [];
    const { page, errors } = await openUrl(`${server.siteUrl}/docs/`, async (opened) => {
      opened.on("request", (sent) => {
        if (!sent.url().startsWith(server.siteUrl) && !sent.url().startsWith("data:")) {
          elsewhere.push(sent.url());
        }
      });
    });
    const shown = async (title: string) => {
      await page.locator(".info .title", { hasText: title }).waitFor();
      const firstServer = (await page.locator(".servers option").first().textContent()) ?? "";
      return { operations: await page.locator(".opblock").count(), firstServer };
    };
    const connvo = await shown("Connvo Convex API");
    expect(connvo.operations).toBeGreaterThan(50);
    expect(connvo.firstServer).toContain(server.siteUrl);

    const choice = page.locator(".topbar select");
    for (const [name, operations, mountedAt] of [
      ["Amazon Chime SDK meetings", 16, "/chime"],
      ["Huawei Cloud Meeting", 31, "/"],
      ["Volcengine RTC conversations", 19, "/"],
      ["Chalk rooms", 20, "/api/v1"],
      ["LiveKit RoomService", 7, "/twirp"],
    ] as const) {
      await choice.selectOption({ label: name });
      const document = await shown(`${name} on Connvo Meetings`);
      expect([name, document.operations]).toEqual([name, operations]);
      expect(document.firstServer.startsWith(`${mountedAt} `)).toBe(true);
    }
    expect(await choice.locator("option").count()).toBe(6);
    expect([errors, elsewhere]).toEqual([[], []]);
  },
);
