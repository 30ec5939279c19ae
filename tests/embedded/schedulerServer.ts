/** The process that tests kill: a server with the fixture app, on the data folder and the port that it is given. */
import { writeSync } from "node:fs";
import { createServer } from "../../embedded/index";

const [appFolder = "", dataFolder = "", port = "0"] = process.argv.slice(2);
const { url } = await createServer({
  appFolder,
  dataFolder,
  port: Number(port),
  sitePort: 0,
});
writeSync(1, `${url}\n`);
