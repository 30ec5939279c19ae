import { cronJobs, makeFunctionReference } from "convex/server";

const crons = cronJobs();
crons.interval("tick", { minutes: 10 }, makeFunctionReference<"mutation">("jobs:tick"), {});
export default crons;
