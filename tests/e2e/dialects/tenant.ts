/** A server that answers other systems' wires, and credentials of its tenants. */
import { randomBytes } from "node:crypto";
import type { NewCredentials } from "../../../convex/contract/accessKeys";
import { request, startServer, valueOf, type TestServer } from "../server";

/** The product with a new key for secrets. */
export function startDialectServer(
  environment: NodeJS.Dict<string> = {},
  dataFolder?: string,
): Promise<TestServer> {
  const CREDENTIALS_KEY = randomBytes(32).toString("base64");
  return startServer({
    environment: { CREDENTIALS_KEY, ...environment },
    ...(dataFolder !== undefined && { dataFolder }),
  });
}

/** Calls a function that only the deployment's administrators may call. */
export async function asAdmin<T>(server: TestServer, path: string, args: unknown): Promise<T> {
  return valueOf<T>(
    await request(`${server.url}/api/function`, {
      headers: { Authorization: `Convex ${server.adminKey}` },
      body: { path, args },
    }),
  );
}

/** A new set of credentials of a tenant. */
export function newCredentials(server: TestServer, tenant = "acme"): Promise<NewCredentials> {
  return asAdmin(server, "credentials:issue", { tenant });
}

/** Sets what the deployment decides of a tenant. */
export async function configure(server: TestServer, tenant: string, config: object): Promise<void> {
  const paginationOpts = { numItems: 100, cursor: null };
  const { page } = await asAdmin<{ page: { _id: string; name: string }[] }>(server, "tenants/admin:list", {
    paginationOpts,
  });
  const tenantId = page.find(({ name }) => name === tenant)?._id;
  await asAdmin(server, "tenants/admin:setConfig", { tenantId, config });
}
