/**
 * A server with the fixture app on the data folder that it is given. It prints its address, and a line with its number for each fault
 * of its own.
 */
import { writeSync } from "node:fs";
import { createServer } from "../../embedded/index";

const [appFolder = "", dataFolder = ""] = process.argv.slice(2);
let faults = 0;
const { url } = await createServer({
  appFolder,
  dataFolder,
  port: 0,
  sitePort: 0,
  onFault: (error) => writeSync(1, `fault ${++faults}: ${(error as Error).message}\n`),
});
writeSync(1, `${url}\n`);
