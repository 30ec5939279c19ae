/** `npm run codegen`: the official `convex codegen`, which asks a deployment, against one that lasts for as long as it takes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createServer } from "../embedded/index";
import { PROJECT_FOLDER } from "./project";

const folder = await mkdtemp(path.join(tmpdir(), "codegen-"));
try {
  const server = await createServer({ dataFolder: path.join(folder, "data"), port: 0, sitePort: 0 });
  const { CONVEX_DEPLOYMENT: _another, ...environment } = process.env;
  const cli = path.join(PROJECT_FOLDER, "node_modules/convex/bin/main.js");
  const child = spawn(process.execPath, [cli, "codegen", "--typecheck", "disable"], {
    cwd: PROJECT_FOLDER,
    env: {
      ...environment,
      CONVEX_SELF_HOSTED_URL: server.url,
      CONVEX_SELF_HOSTED_ADMIN_KEY: server.adminKey,
    },
    stdio: "inherit",
  });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
  await server.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
