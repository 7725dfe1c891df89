/** A temporary folder that an unprivileged service may use, also when the tests run as root. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { serviceAccount } from '../../src/tools/start/services/account.ts';
import { openSharedFolder } from '../../src/tools/start/services/shared-folder.ts';

export type ServiceFolder = ReturnType<typeof makeServiceFolder>;

/** All services of the tests take this password. */
export const PASSWORD = 'test';

export function makeServiceFolder() {
  const account = serviceAccount();
  const services = makeTestFolder();
  chownSync(services, account.uid, account.gid);
  const password = PASSWORD;
  return {
    account,
    services,
    logFile: join(services, 'service.log'),
    password,
    [Symbol.dispose]: () => rmSync(services, { recursive: true, force: true }),
  };
}

/** Trades durability for speed. */
export const VOLATILE_POSTGRES = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};

/** Makes the cluster of a Postgres that is to run on this folder of services, with the owner that the files have. */
export function copyCluster(cluster: string, services: string): void {
  execFileSync('cp', ['-a', cluster, join(services, 'postgres')]);
}

/** A folder in memory where there is enough of it; services of another account may pass through it. */
export function makeTestFolder(): string {
  const folder = mkdtempSync(join(placeOfData(), `${PREFIX}${process.pid}-`));
  chmodSync(folder, 0o755);
  return folder;
}

/** Begins the name of each folder; the id of the process that made it follows. */
const PREFIX = 'risk-test-';
const MEMORY = '/dev/shm';
/** All services of a run take less than 2 GiB. */
const MEMORY_FREE_BYTES_MIN = 4 * 1024 ** 3;

/**
 * Memory where there is enough of it. A database of a test is 900 files, and making files on ext4 took a quarter of the
 * processor time of all tests.
 */
function placeOfData(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize >= MEMORY_FREE_BYTES_MIN) return MEMORY;
  } catch {
    // Some machines have no such folder.
  }
  return openSharedFolder();
}

/** Removes the folders of processes that were killed. */
export function sweepServiceFolders(): void {
  const place = placeOfData();
  for (const name of readdirSync(place).filter((entry) => entry.startsWith(PREFIX))) {
    const [pid] = name.slice(PREFIX.length).split('-');
    if (!isRunning(Number(pid))) rmSync(join(place, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may not be signalled.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
