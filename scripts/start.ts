/** What `npm start` does, compiled by tsx at every start; see launch.js. */
import { runServer } from "./server";

await runServer(process.argv.slice(2));
