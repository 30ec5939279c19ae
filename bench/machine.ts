import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, platform, release, totalmem } from "node:os";
import { promisify } from "node:util";

export type Machine = {
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** The file system and the device of the data. */
  readonly disk: string;
};

export async function describeMachine(folder: string): Promise<Machine> {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 1e9),
    system: await systemName(),
    node: process.version,
    disk: await diskOf(folder),
  };
}

async function systemName(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? `${platform()} ${release()}`;
}

async function diskOf(folder: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("df", ["-PT", folder]);
    const [device = "", type = ""] = stdout.trim().split("\n").at(-1)?.split(/\s+/) ?? [];
    return `${type} on ${device}`;
  } catch {
    return "unknown";
  }
}
