import { loadDevelopmentIssuer } from "./auth/developmentIssuer";
import { readAddress, readAdminKey } from "./dataFiles";
import { createServer, type Server, type ServerOptions } from "./index";
import { explainStartFailure } from "./startError";
import { isInUse } from "./storage/dataFolder";

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

/** A live process that has the folder open has written down where it is reached, or is about to. */
async function findRunning({ dataFolder, environment }: ServerOptions): Promise<Server | null> {
  if (!(await isInUse(dataFolder))) return null;
  const address = await readAddress(dataFolder);
  const adminKey = await readAdminKey(dataFolder);
  if (address === null || adminKey === null) return null;
  const developmentIssuer = environment?.["WORKOS_CLIENT_ID"]
    ? null
    : await loadDevelopmentIssuer(dataFolder);
  return { ...address, adminKey, developmentIssuer, close: () => Promise.resolve() };
}
