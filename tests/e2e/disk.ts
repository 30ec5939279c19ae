/** File systems of a test's own, which can be filled, take no more writes, or fail as on a disk that is dying. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { temporaryFolder, TestProcess, type Place } from "./server";

const execute = promisify(execFile);

type Kind = {
  /** Of `unshare`, and of `nsenter`. */
  readonly namespaces: readonly string[];
  readonly entering: readonly string[];
  /** Mounts one of size `$1` at the folder `$2`. */
  readonly mount: string;
};

/** In memory; whoever asks may mount it, as the root of a namespace of users. */
const TMPFS: Kind = {
  namespaces: ["--user", "--map-root-user", "--mount"],
  entering: ["--user", "--preserve-credentials", "--mount"],
  mount: 'mount -t tmpfs -o "size=$1" tmpfs "$2"',
};

/** Ext4 in a file, which takes no more writes after a fault, as most systems have set it. Only the real root may mount it. */
const EXT4: Kind = {
  namespaces: ["--mount"],
  entering: ["--mount"],
  mount:
    'truncate -s "$1" "$2.img" && mkfs.ext4 -q "$2.img" && mount -o loop,errors=remount-ro "$2.img" "$2"',
};
const FAULT = 'echo 1 > "/sys/fs/ext4/$(basename "$(findmnt -no SOURCE "$1")")/trigger_fs_error"';
const REPAIR = 'umount "$1"; e2fsck -fy "$1.img"; mount -o loop,errors=remount-ro "$1.img" "$1"';

/** Whether a {@link Disk} in memory can be made here. */
export function canMountMemory(): boolean {
  return canMount(TMPFS, "true");
}

/** Whether a {@link Disk} of an image can be made here, and fail. */
export function canMountImages(): boolean {
  return canMount(EXT4, FAULT);
}

function canMount({ namespaces, mount }: Kind, more: string): boolean {
  const parent = mkdtempSync(path.join(tmpdir(), "connvo-meetings-"));
  try {
    const script = `set -e; mkdir "$2"; ${mount}; shift; ${more}`;
    const args = [...namespaces, "sh", "-c", script, "sh", "8m", path.join(parent, "disk")];
    return spawnSync("unshare", args, { stdio: "ignore" }).status === 0;
  } finally {
    rmSync(parent, { recursive: true });
  }
}

/** A file system in a namespace of its own, with which it goes. */
export class Disk implements Place {
  private constructor(
    private readonly folder: string,
    readonly enter: readonly string[],
    readonly root: string,
  ) {}

  /** @param size as `mount` wants it, such as "32m" */
  static inMemory(size: string): Promise<Disk> {
    return Disk.#mount(TMPFS, size);
  }

  static ofImage(size: string): Promise<Disk> {
    return Disk.#mount(EXT4, size);
  }

  static async #mount({ namespaces, entering, mount }: Kind, size: string): Promise<Disk> {
    // The image lies beside the disk.
    const folder = path.join(await temporaryFolder(), "disk");
    const keep = `mkdir "$2" && ${mount} && echo mounted && exec sleep infinity`;
    const args = [...namespaces, "sh", "-c", keep, "sh", size, folder];
    const keeper = new TestProcess("unshare", args, { cwd: "/", env: process.env });
    await keeper.line(/^mounted$/);
    const enter = ["nsenter", `--target=${keeper.pid}`, ...entering, "--wd", "--"];
    return new Disk(folder, enter, `/proc/${keeper.pid}/root`);
  }

  get dataFolder(): string {
    return path.join(this.folder, "data");
  }

  /** A file of the data folder, as seen from here. */
  file(name: string): string {
    return path.join(this.root + this.dataFolder, name);
  }

  /** Takes all the room that there is. */
  async fill(): Promise<void> {
    const ballast = await open(this.#ballast, "a");
    try {
      for (const bytes of [1 << 16, 1 << 12, 1]) await appendUntilFull(ballast, Buffer.alloc(bytes));
    } finally {
      await ballast.close();
    }
  }

  /** Gives back what {@link fill} has taken. */
  makeRoom(): Promise<void> {
    return rm(this.#ballast);
  }

  /** Gives back a part of it. */
  async makeSomeRoom(bytes: number): Promise<void> {
    const { size } = await stat(this.#ballast);
    await truncate(this.#ballast, size - bytes);
  }

  /** Makes one in memory larger. */
  grow(size: string): Promise<void> {
    return this.#do('mount -o "remount,size=$2" "$1"', size);
  }

  /**
   * Lets a process change nothing any more, neither in files that it has open nor in the folder, as when the disk has become
   * read-only. (Linux makes no file system read-only that is being written to, unless it has failed.)
   */
  async refuseWrites(pid: number): Promise<void> {
    await execute("prlimit", [`--pid=${pid}`, "--fsize=0:unlimited"]);
    await this.#do('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"');
  }

  /** Takes back what {@link refuseWrites} has done, also to the process if that is still there. */
  async allowWrites(pid?: number): Promise<void> {
    await this.#do('umount "$1"');
    if (pid !== undefined) await execute("prlimit", [`--pid=${pid}`, "--fsize=unlimited:unlimited"]);
  }

  /** Makes it read-only while nobody writes, or writable again. */
  remount(mode: "ro" | "rw"): Promise<void> {
    return this.#do('mount -o "remount,$2" "$1"', mode);
  }

  /** Has the system find a fault in one of an image. */
  fail(): Promise<void> {
    return this.#do(FAULT);
  }

  /** Does what an administrator does about that, once nobody uses it. */
  repair(): Promise<void> {
    return this.#do(REPAIR);
  }

  get #ballast(): string {
    return path.join(this.root + this.folder, "ballast");
  }

  async #do(script: string, ...args: string[]): Promise<void> {
    const [command = "", ...rest] = [...this.enter, "sh", "-c", script, "sh", this.folder, ...args];
    await execute(command, rest);
  }
}

async function appendUntilFull(
  file: { appendFile(bytes: Buffer): Promise<void> },
  piece: Buffer,
): Promise<void> {
  try {
    for (;;) await file.appendFile(piece);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
