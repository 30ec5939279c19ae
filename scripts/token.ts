/** `npm run --silent token -- <email>`: prints a development token for a user, and nothing else. */
import { fail } from "../embedded/main";
import { connectTo, readCommand, requireDevelopment, signIn } from "./project";

const USAGE = "Usage: npm run --silent token -- <email> [--org <org_id>] [--role <role>] [--data <folder>]";

const { values, positionals, dataFolder } = readCommand(USAGE, ["org", "role"]);
const [email] = positionals;
if (positionals.length !== 1 || email === undefined || !/^\S+@\S+$/.test(email)) fail(USAGE);

requireDevelopment();
const server = await connectTo(dataFolder);
const { org, role } = values;
const { token } = await signIn(server, {
  email,
  ...(org === undefined ? {} : { organizationId: org }),
  ...(role === undefined ? {} : { role }),
});
await server.close();
console.log(token);
