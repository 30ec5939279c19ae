import rateLimiter from "@convex-dev/rate-limiter/convex.config.js";
import { defineApp } from "convex/server";

const app = defineApp();
// How often each caller may call. Used by `model/rateLimit.ts`, emptied of the old by `cleanUp`.
app.use(rateLimiter);

export default app;
