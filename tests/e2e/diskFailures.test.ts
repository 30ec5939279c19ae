/** A disk that is full or read-only: writes are refused, reads go on, what was answered stays, and what was refused never comes. */
import { readdir, rm, stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { canMountImages, canMountMemory, Disk } from "./disk";
import { CREATE, refusedStart, Trial } from "./diskTrial";
import { run } from "./server";

async function logFiles(disk: Disk): Promise<string[]> {
  return (await readdir(disk.file(""))).filter((name) => name.startsWith("log-"));
}

describe.runIf(canMountMemory())("a disk in memory (only where `unshare --user --mount` is allowed)", () => {
  test("that others have filled refuses writes until there is room, and a restart as well", async () => {
    const disk = await Disk.inMemory("16m");
    const trial = await Trial.start(disk);
    await trial.createSome();
    for (let round = 0; round < 2; round++) {
      await disk.fill();
      await trial.createUntilRefused(50);
      const answer = await run(trial.server.siteUrl, CREATE, { title: "On the site" }, trial.host.token);
      expect(answer).toMatchObject({ status: 500, body: { errorData: { code: "INTERNAL_ERROR" } } });
      expect(await trial.violations()).toEqual([]);
      await disk.makeRoom();
      await trial.createSome();
    }

    await disk.fill();
    await trial.createUntilRefused(50);
    await trial.server.process.kill();
    expect(await refusedStart(disk)).toBe(
      `${disk.dataFolder} cannot be written to (ENOSPC): make room on its disk, or choose another data folder.`,
    );
    await disk.makeRoom();
    await trial.restart();
    expect(await trial.violations()).toEqual([]);
    await trial.createSome();
    expect(await trial.stop()).toMatchObject({ code: 0, stderr: "" });
  });

  test("that the database itself has filled goes on with what is in the log, and writes it once there is room", async () => {
    // For a generation of the log, but not for the database with it.
    const disk = await Disk.inMemory("20m");
    const trial = await Trial.start(disk);
    await trial.createUntilRefused(50);
    // The database has taken over a part of it.
    expect(await logFiles(disk)).toContain("log-0000000000000001");
    expect((await stat(disk.file("data.mdb"))).size).toBeGreaterThan(1 << 20);
    expect(await trial.violations()).toEqual([]);
    await disk.grow("100m");
    await trial.createSome();
    await trial.server.process.kill();
    await trial.restart();
    expect(await trial.violations()).toEqual([]);
    expect(await trial.stop()).toMatchObject({ code: 0, stderr: "" });
    expect(await logFiles(disk)).toEqual([]);
    await trial.restart();
    expect(await trial.violations()).toEqual([]);
  });

  test("that is full when the server first starts, or starts from a backup, refuses that in one line", async () => {
    const disk = await Disk.inMemory("8m");
    await disk.fill();
    expect(await refusedStart(disk)).toContain("cannot be written to (ENOSPC): make room on its disk");
    await disk.makeRoom();
    const trial = await Trial.start(disk);
    await trial.createSome();
    expect(await trial.stop()).toMatchObject({ code: 0, stderr: "" });

    await rm(disk.file("data.mdb-lock"));
    await disk.fill();
    expect(await refusedStart(disk)).toContain("cannot be written to (ENOSPC): make room on its disk");
    await disk.makeRoom();
    await trial.restart();
    expect(await trial.violations()).toEqual([]);
  });

  test("that becomes read-only refuses writes until it is writable again, and a restart as well", async () => {
    const disk = await Disk.inMemory("32m");
    const trial = await Trial.start(disk);
    await trial.createSome();
    for (let round = 0; round < 2; round++) {
      await disk.refuseWrites(trial.pid);
      await trial.createUntilRefused(50);
      expect(await trial.violations()).toEqual([]);
      await disk.allowWrites(trial.pid);
      await trial.createSome();
    }

    await disk.refuseWrites(trial.pid);
    await trial.createUntilRefused(50);
    await trial.server.process.kill();
    expect(await refusedStart(disk)).toBe(
      `${disk.dataFolder} cannot be written to (EROFS): mount its disk writable, and check it if it has become read-only by itself, or choose another data folder.`,
    );
    await disk.allowWrites();
    await disk.remount("ro");
    expect(await refusedStart(disk)).toContain("cannot be written to (EROFS)");
    await disk.remount("rw");
    await trial.restart();
    expect(await trial.violations()).toEqual([]);
    await trial.createSome();
  });

  test("that is read-only when the server is stopped loses nothing, and the command says so", async () => {
    const disk = await Disk.inMemory("32m");
    const trial = await Trial.start(disk);
    await trial.createSome();
    await disk.refuseWrites(trial.pid);
    await trial.createUntilRefused(1);
    const { code, stderr } = await trial.stop();
    expect(code).toBe(1);
    expect(stderr).toMatch(/\nStopped as by a crash: EROFS: .*\. No answer is lost\.\n$/);
  });
});

describe.runIf(canMountImages())("a disk with ext4 (only where root may mount images)", () => {
  test("that has failed is read-only until it is mounted anew, and then all is there that was answered", async () => {
    const disk = await Disk.ofImage("64m");
    const trial = await Trial.start(disk);
    await trial.createSome();
    // Not while something is being synced: of that, ext4 itself may lose what it says that it has synced.
    await disk.fail();
    await trial.createUntilRefused(50);
    expect(await trial.violations()).toEqual([]);
    expect(await refusedStart(disk)).toContain("cannot be written to (EROFS)");
    await trial.server.process.kill();
    await disk.repair();
    await trial.restart();
    expect(await trial.violations()).toEqual([]);
    await trial.createSome();
    expect(await trial.stop()).toMatchObject({ code: 0, stderr: "" });
  });
});
