import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Backend, Identity, Result, Row } from "../parity/story";
import { copyApp } from "./appCopy";
import { request, startServer, valueOf, type TestServer } from "./server";

/** A function that only tests have, which shows whole tables to the admin. */
const TESTING_MODULE = `
import { v } from "convex/values";
import { internalQuery } from "./_generated/server";

export const rows = internalQuery({
  args: { table: v.string() },
  handler: (ctx, { table }) => ctx.db.query(table).collect(),
});
`;

/** The app on the embedded runtime, as the scenarios shared with other runtimes want it: every call by HTTP. */
export async function startEmbeddedBackend(): Promise<{ server: TestServer; backend: Backend }> {
  const appFolder = await copyApp();
  await writeFile(path.join(appFolder, "testing.ts"), TESTING_MODULE);
  const server = await startServer({ appFolder });
  const as = (identity: Identity) => {
    const token = tokenFor(server, identity);
    return {
      call: async (functionPath: string, args: Record<string, unknown>): Promise<Result> => {
        const url = `${server.siteUrl}/api/run/${functionPath.replace(":", "/")}`;
        const { status, body } = await request(url, { body: { args }, token: await token });
        const answer = body as { value?: unknown; errorData?: { code: string } };
        if (status === 200) return { ok: true, value: answer.value };
        if (status < 500 && answer.errorData) return { ok: false, data: answer.errorData };
        throw new Error(`${functionPath}: ${status} ${JSON.stringify(body)}`);
      },
    };
  };
  const rows = async (table: string): Promise<Row[]> => {
    const answer = await request(`${server.url}/api/function`, {
      headers: { Authorization: `Convex ${server.adminKey}` },
      body: { path: "testing:rows", args: { table } },
    });
    return valueOf<Row[]>(answer);
  };
  return { server, backend: { as, rows } };
}

function tokenFor({ developmentIssuer }: TestServer, { subject, org_id, role }: Identity): Promise<string> {
  if (developmentIssuer === null) throw new Error("This server has no development issuer");
  return developmentIssuer.sign({
    subject,
    ...(org_id !== undefined && { organizationId: org_id }),
    ...(role !== undefined && { role }),
  });
}
