/** What is stored before anything is measured. Each subject is filled with the same. */
export type World = {
  /** Active users. The host and the deactivated one are not among them. */
  readonly users: number;
  /** Meetings of the host in which nobody else is, with {@link PLACES} places. */
  readonly meetings: number;
  /** Participants in other meetings, {@link MEETING_SIZE} in each. */
  readonly stored: number;
};

/** What the ids are that a subject has given to the world. */
export type WorldIds = {
  readonly users: readonly string[];
  readonly inactiveUser: string;
  readonly meetings: readonly string[];
  /** The meetings of the participants that are stored. */
  readonly storedMeetings: readonly string[];
  /** A meeting of three places. */
  readonly smallMeeting: string;
};

export const PLACES = 100_000;
export const SMALL_PLACES = 3;
export const MEETING_SIZE = 1000;

/** The WorkOS user ids of those who have tokens. */
export const HOST = "user_host";
export const INACTIVE = "user_inactive";

export function subjectOf(user: number): string {
  return `user_${user}`;
}

/** A prime that divides no number of users here, so that steps of it reach everybody. */
export const STRIDE = 7919;
/** How far the order of one meeting is from that of the one before. */
export const SHIFT = 31;

/** The user in one place of a meeting: each once, in an order of the meeting's own, so that indexes by user are hit all over. */
export function userAt({ users }: Pick<World, "users">, meeting: number, place: number): number {
  return (place * STRIDE + meeting * SHIFT) % users;
}

export function storedMeetings({ stored }: World): number {
  return Math.ceil(stored / MEETING_SIZE);
}
