import type { Endpoint } from "./endpoint";
import * as meetingsLifecycle from "./meetingsLifecycle";
import * as meetingsQueries from "./meetingsQueries";
import * as meetingsTokens from "./meetingsTokens";
import * as usersMutations from "./usersMutations";
import * as usersQueries from "./usersQueries";

/** Every public function of the backend. The modules above export endpoints and nothing else. */
export const endpoints: readonly Endpoint[] = [
  ...Object.values(meetingsLifecycle),
  ...Object.values(meetingsQueries),
  ...Object.values(meetingsTokens),
  ...Object.values(usersMutations),
  ...Object.values(usersQueries),
];
