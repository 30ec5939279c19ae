/** The process that schedulerCrash.test.ts kills: a server with the fixture app, on the data folder that it is given. */
import { writeSync } from "node:fs";
import { createServer } from "../../embedded/index";

const [appFolder = "", dataFolder = ""] = process.argv.slice(2);
const { url } = await createServer({
  appFolder,
  dataFolder,
  port: 0,
  sitePort: 0,
});
writeSync(1, `${url}\n`);
