import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { World, WorldIds } from "./world";

const WORLD = "world.json";
const IDS = "ids.json";

/** Notes beside a subject's data what it was filled with. */
export function writeWorld(folder: string, world: World): Promise<void> {
  return writeFile(path.join(folder, WORLD), JSON.stringify(world));
}

export async function readWorld(folder: string): Promise<World> {
  return JSON.parse(await readFile(path.join(folder, WORLD), "utf8")) as World;
}

export function writeIds(folder: string, ids: WorldIds): Promise<void> {
  return writeFile(path.join(folder, IDS), JSON.stringify(ids));
}

export async function readIds(folder: string): Promise<WorldIds> {
  return JSON.parse(await readFile(path.join(folder, IDS), "utf8")) as WorldIds;
}
