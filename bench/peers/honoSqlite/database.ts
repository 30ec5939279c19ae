import type Libsql from "libsql";

export type Sqlite = Libsql.Database;

type Driver = { readonly name: string; readonly open: typeof Libsql };

/**
 * better-sqlite3 where somebody has installed it, which needs an install script or a compiler, else libsql, which brings
 * the same interface prebuilt.
 */
export async function loadDriver(): Promise<Driver> {
  for (const name of ["better-sqlite3", "libsql"]) {
    const module = await import(name).catch(() => null);
    if (module !== null) return { name, open: (module as { default: typeof Libsql }).default };
  }
  throw new Error("Neither better-sqlite3 nor libsql can be loaded");
}

/** Opens a database file: write-ahead log, synced at each commit, everything that was read kept in memory. */
export function openSqlite(driver: Driver, file: string): Sqlite {
  const database = new driver.open(file);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("cache_size = -1000000");
  database.pragma("temp_store = MEMORY");
  return database;
}

export const SCHEMA = `
create table users (
  key integer primary key,
  workos_user_id text not null unique,
  email text not null,
  is_active integer not null
);
create table meetings (
  key integer primary key,
  organizer integer not null,
  title text not null,
  state text not null,
  max_participants integer not null,
  participant_count integer not null,
  updated_at integer not null
);
create table participants (
  key integer primary key,
  meeting integer not null,
  user integer not null,
  role text not null,
  presence text not null,
  created_at integer not null,
  unique (meeting, user)
);
`;
