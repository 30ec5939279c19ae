/** The server of `npm start` without its launcher: compiled by tsx at every start, and nothing of it is kept. */
import { runServer } from "../../scripts/server";

await runServer(process.argv.slice(2));
