/** What a token says of the caller. */
export interface Identity {
  subject: string;
  org_id?: string;
  role?: string;
}

/** What a function answered: its value, or the data of its `ConvexError`. */
export type Result =
  { ok: true; value: unknown } | { ok: false; data: { code: string; [detail: string]: unknown } };

export type Row = Record<string, unknown>;

/** A running backend, whatever runs it. The rate limit is to be off. */
export interface Backend {
  as(identity: Identity): {
    /** Calls a public function, like `meetings/lifecycle:createMeeting`. */
    call(path: string, args: Record<string, unknown>): Promise<Result>;
  };
  /** All documents of a table. */
  rows(table: string): Promise<Row[]>;
}

const tables = [
  "users",
  "tenants",
  "guests",
  "meetings",
  "meetingParticipants",
  "waitlist",
  "meetingEvents",
] as const;

const volatileFields = new Set([
  "_creationTime",
  "updatedAt",
  "startedAt",
  "endedAt",
  "joinedAt",
  "leftAt",
  "lastSeenAt",
  "emptySince",
  "emptyCheckAt",
  "continueCursor",
]);

/** Plays calls and notes what came of them, with names in the place of ids and times, so that runs can be compared. */
export class Story {
  readonly #backend: Backend;
  readonly #names = new Map<string, string>();
  readonly #steps: unknown[] = [];

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** Signs people up, whose subjects are their names. Gives their user ids. */
  async people<Name extends string>(...names: Name[]): Promise<Record<Name, string>> {
    const ids: [string, unknown][] = [];
    for (const name of names) {
      const args = { workosUserId: name, email: `${name}@example.com`, displayName: name };
      ids.push([name, valueOf(await this.call(name, "users/mutations:upsertUser", args))]);
    }
    return Object.fromEntries(ids) as Record<Name, string>;
  }

  /** Creates a meeting. Gives its id. */
  async meeting(who: string, args: Record<string, unknown>): Promise<string> {
    const created = valueOf(await this.call(who, "meetings/lifecycle:createMeeting", args));
    return (created as { meetingId: string }).meetingId;
  }

  /** Calls a function as the person of that name. */
  async call(who: string, path: string, args: Record<string, unknown>): Promise<Result> {
    const result = await this.#backend.as({ subject: who }).call(path, args);
    await this.#learnNames();
    const duration = path.endsWith(":endMeeting") ? ["duration"] : [];
    this.#steps.push({ who, path, result: this.#named(result, new Set([...volatileFields, ...duration])) });
    return result;
  }

  /** All steps, and all rows as they are in the end. */
  async end(): Promise<unknown> {
    const rows: Record<string, unknown[]> = {};
    for (const table of tables) {
      const named = (await this.#backend.rows(table)).map((row) => this.#named(row, volatileFields));
      rows[table] = sorted(named);
    }
    return { steps: this.#steps, rows };
  }

  /** Names stay when their document goes, since answers may still hold its id. */
  async #learnNames(): Promise<void> {
    const name = (id: unknown, label: string) => this.#names.set(String(id), label);
    const nameOf = (id: unknown) => this.#names.get(String(id));
    for (const { _id, workosUserId } of await this.#backend.rows("users"))
      name(_id, `<${String(workosUserId)}>`);
    for (const { _id, title } of await this.#backend.rows("meetings")) name(_id, `<${String(title)}>`);
    for (const { _id, key } of await this.#backend.rows("tenants"))
      name(_id, `tenant ${this.#tenantKey(key)}`);
    for (const { _id, externalId } of await this.#backend.rows("guests"))
      name(_id, `<${String(externalId)}>`);
    for (const table of ["meetingParticipants", "waitlist"]) {
      for (const { _id, userId, guestId, meetingId } of await this.#backend.rows(table)) {
        name(_id, `${nameOf(userId ?? guestId)} in ${nameOf(meetingId)}`);
      }
    }
    for (const { _id, meetingId, sequence } of await this.#backend.rows("meetingEvents")) {
      name(_id, `event ${String(sequence)} of ${nameOf(meetingId)}`);
    }
  }

  /** A personal tenant's key ends with the id of its user. */
  #tenantKey(key: unknown): string {
    const [kind, of = ""] = String(key).split(":");
    return `${kind}:${this.#names.get(of) ?? of}`;
  }

  #named(value: unknown, volatile: ReadonlySet<string>): unknown {
    if (typeof value === "string") return this.#names.get(value) ?? value;
    if (Array.isArray(value)) return value.map((item) => this.#named(item, volatile));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        // Where a page may be split is the runtime's own affair.
        .filter(([key, field]) => field !== undefined && key !== "splitCursor")
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, field]) => {
          if (key === "key") return [key, this.#tenantKey(field)];
          if (volatile.has(key)) return [key, `<${typeof field}>`];
          const named = this.#named(field, volatile);
          // A page is in the order of ids, which is another one in every run.
          return [key, key === "page" && Array.isArray(named) ? sorted(named) : named];
        }),
    );
  }
}

/** The value of a call that is not expected to fail. */
export function valueOf(result: Result): unknown {
  if (!result.ok) throw new Error(`Unexpected failure: ${JSON.stringify(result.data)}`);
  return result.value;
}

function sorted(values: readonly unknown[]): unknown[] {
  return values.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
