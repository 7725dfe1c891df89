/**
 * Finds services that a dead engine left behind (kill -9 where there is no setpriv, or a shutdown still under
 * way). They are known by the process id they wrote and by their working directory in our folder, so no other
 * process is ended.
 */
import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../kit/words/failure.ts';

const END_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

/** @param pidFile whose first line is the process id of the service that stands in `folder` */
export async function endLeftOver(
  name: string,
  folder: string,
  pidFile: string,
  signal: 'SIGINT' | 'SIGTERM',
): Promise<void> {
  const pid = readPid(pidFile);
  if (pid === undefined || !standsIn(pid, folder)) return;
  process.kill(pid, signal);
  const deadline = performance.now() + END_TIMEOUT_MS;
  while (standsIn(pid, folder)) {
    if (performance.now() > deadline) {
      throw new Failure(
        'unavailable',
        'SERVICE_LEFT_OVER',
        `${name} of an earlier engine (pid ${pid}) does not end`,
      );
    }
    await delay(POLL_MS);
  }
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function standsIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
  } catch {
    return false;
  }
}
