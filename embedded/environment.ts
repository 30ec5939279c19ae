import type { Database } from "./transaction/database";
import { metaKey } from "./transaction/keys";

type Variables = Readonly<Record<string, string>>;

export type VariableChange = { readonly name: string; readonly value: string | null };

/** A variable can't be set so. The message is for whoever wants to set it. */
class VariableError extends Error {
  override readonly name = "VariableError";
}

const KEY = metaKey("environment");

/** Convex's own limits. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;
const MAX_VALUE_BYTES = 8 * 1024;
const MAX_VARIABLES = 100;

/**
 * The environment variables of a deployment: those that were set on it and are kept in its database, and over them those that
 * its process was started with, which only a new start can change.
 */
export class DeploymentEnvironment {
  #kept: Variables;
  #fixed: Variables;

  constructor(
    private readonly database: Database,
    fixed: Variables,
  ) {
    this.#fixed = fixed;
    this.#kept = JSON.parse(database.get(KEY) ?? "{}") as Variables;
  }

  get variables(): Variables {
    return { ...this.#kept, ...this.#fixed };
  }

  /** Adds variables that come with the process. */
  fix(variables: Variables): void {
    this.#fixed = { ...this.#fixed, ...variables };
  }

  /**
   * Sets variables, or removes those whose value is `null`, once `use` has accepted the new environment. Resolves when the
   * change is on disk. Throws {@link VariableError}, or what `use` throws: then nothing has changed.
   */
  async update(changes: readonly VariableChange[], use: () => Promise<void>): Promise<void> {
    const before = this.#kept;
    const kept = new Map(Object.entries(before));
    for (const { name, value } of changes) {
      this.#check(name, value);
      if (value === null) kept.delete(name);
      else kept.set(name, value);
    }
    if (kept.size > MAX_VARIABLES)
      throw new VariableError(`A deployment has at most ${MAX_VARIABLES} variables`);
    this.#kept = Object.fromEntries(kept);
    try {
      await use();
    } catch (error) {
      this.#kept = before;
      throw error;
    }
    this.database.commit([[KEY, JSON.stringify(this.#kept)]]);
    await this.database.durable();
  }

  #check(name: string, value: string | null): void {
    if (!NAME.test(name)) {
      throw new VariableError(
        `${JSON.stringify(name)} can't be the name of a variable: up to 40 letters, digits and underscores, no digit first`,
      );
    }
    if (name in this.#fixed || name.startsWith("CONVEX_")) {
      throw new VariableError(`${name} comes with the server's process: change it there and start anew`);
    }
    if (value !== null && Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      throw new VariableError(`The value of ${name} is longer than ${MAX_VALUE_BYTES} bytes`);
    }
  }
}
