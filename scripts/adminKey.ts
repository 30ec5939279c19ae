/** `npm run --silent admin-key`: prints the admin key that is kept in a data folder. */
import { readAdminKey } from "../embedded/index";
import { fail } from "../embedded/main";
import { readCommand } from "./project";

const { dataFolder } = readCommand("Usage: npm run --silent admin-key -- [--data <folder>]");
const key = await readAdminKey(dataFolder).catch((error: Error) => fail(error.message));
console.log(key ?? fail(`There is no admin key in ${dataFolder} yet: the first npm start makes one.`));
