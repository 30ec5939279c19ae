import type { Endpoint } from "./endpoint";
import * as guestsMutations from "./guestsMutations";
import * as guestsQueries from "./guestsQueries";
import * as meetingsBans from "./meetingsBans";
import * as meetingsBulk from "./meetingsBulk";
import * as meetingsHistory from "./meetingsHistory";
import * as meetingsImport from "./meetingsImport";
import * as meetingsInvitations from "./meetingsInvitations";
import * as meetingsJobs from "./meetingsJobs";
import * as meetingsLifecycle from "./meetingsLifecycle";
import * as meetingsLobby from "./meetingsLobby";
import * as meetingsQueries from "./meetingsQueries";
import * as meetingsReports from "./meetingsReports";
import * as meetingsTokens from "./meetingsTokens";
import * as tenantsAccessKeys from "./tenantsAccessKeys";
import * as tenantsMutations from "./tenantsMutations";
import * as tenantsQueries from "./tenantsQueries";
import * as meetingsWaitlist from "./meetingsWaitlist";
import * as usersMutations from "./usersMutations";
import * as usersQueries from "./usersQueries";
import * as webhooksDeliveries from "./webhooksDeliveries";
import * as webhooksEndpoints from "./webhooksEndpoints";

/** Every public function of the backend. The modules above export endpoints and nothing else. */
export const endpoints: readonly Endpoint[] = [
  ...Object.values(meetingsLifecycle),
  ...Object.values(meetingsBulk),
  ...Object.values(meetingsImport),
  ...Object.values(meetingsJobs),
  ...Object.values(meetingsQueries),
  ...Object.values(meetingsReports),
  ...Object.values(meetingsInvitations),
  ...Object.values(meetingsTokens),
  ...Object.values(meetingsBans),
  ...Object.values(meetingsWaitlist),
  ...Object.values(meetingsLobby),
  ...Object.values(meetingsHistory),
  ...Object.values(usersMutations),
  ...Object.values(usersQueries),
  ...Object.values(guestsMutations),
  ...Object.values(guestsQueries),
  ...Object.values(tenantsMutations),
  ...Object.values(tenantsQueries),
  ...Object.values(tenantsAccessKeys),
  ...Object.values(webhooksEndpoints),
  ...Object.values(webhooksDeliveries),
];
