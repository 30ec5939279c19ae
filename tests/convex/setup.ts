import { convexTest, type TestConvex } from "convex-test";
import type { UserIdentity } from "convex/server";
import schema from "../../convex/schema";

const modules = import.meta.glob("../../convex/**/*.ts");

export type App = TestConvex<typeof schema>;

/** A fresh backend without any data. */
export function newApp(): App {
  return convexTest(schema, modules);
}

/** Claims of a WorkOS access token which matter here. */
export interface Claims extends Partial<UserIdentity> {
  subject: string;
  org_id?: string;
  role?: string;
}
