import { loadDevelopmentIssuer } from "./auth/developmentIssuer";
import { readAddress, readAdminKey } from "./dataFiles";
import { createServer, type Server, type ServerOptions } from "./index";
import { explainStartFailure } from "./startError";

/**
 * The deployment on a data folder: the server that is running on it, or else one that is started for the caller on
 * ports that the system chooses. `close()` stops only what this call has started.
 */
export async function connect(options: ServerOptions): Promise<Server> {
  const running = await findRunning(options).catch((error: unknown) => {
    throw explainStartFailure(error);
  });
  return running ?? createServer({ ...options, port: 0, sitePort: 0 });
}

async function findRunning({ dataFolder, environment }: ServerOptions): Promise<Server | null> {
  const address = await readAddress(dataFolder);
  const adminKey = await readAdminKey(dataFolder);
  if (address === null || adminKey === null || !(await accepts(address.url, adminKey))) return null;
  const developmentIssuer = environment?.["WORKOS_CLIENT_ID"]
    ? null
    : await loadDevelopmentIssuer(dataFolder);
  return { ...address, adminKey, developmentIssuer, close: () => Promise.resolve() };
}

/**
 * Whether the server at an address is this folder's: it knows the folder's admin key. After a crash the address may be
 * another server's by now.
 */
async function accepts(url: string, adminKey: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/api/function`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Convex ${adminKey}` },
      body: JSON.stringify({ path: "nothing:nothing", args: {} }),
    });
    return response.status === 200;
  } catch {
    return false;
  }
}
