import { defineComponent } from "convex/server";
import { v } from "convex/values";
import stamps from "./stamps/convex.config.js";

const component = defineComponent("ledger", {
  env: { CURRENCY: v.union(v.literal("EUR"), v.literal("USD")), GREETING: v.optional(v.string()) },
});
component.use(stamps);

export default component;
