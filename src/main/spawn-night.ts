/** Builds a table of the day in a process of its own, which gives way to all others on the machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RunNight } from '../core/repair/night-duty.ts';
import { textOfDay } from '../core/score/scorecard/day-table.ts';
import type { Environment } from '../kit/config/config.ts';
import { Failure } from '../kit/words/failure.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/risk', import.meta.url));
const NICE = 10;
/** Bounds of memory. Smaller: a night collects garbage most of its time. */
const HEAP = '--max-old-space-size=64 --max-semi-space-size=2 --v8-pool-size=1';

export const spawnNight =
  (environment: Environment): RunNight =>
  async (day, signal) => {
    const date = textOfDay(day);
    const child = spawn('/bin/sh', [LAUNCHER, 'scorecard', 'build', '--day', date], {
      env: { ...environment, NODE_OPTIONS: `${environment['NODE_OPTIONS'] ?? ''} ${HEAP}` },
      stdio: ['ignore', 'ignore', 'pipe'],
      signal,
    });
    if (child.pid !== undefined) setPriority(child.pid, NICE);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-SAID_CHARS);
    });
    const [code] = await once(child, 'close').catch((error: unknown) => {
      if (signal.aborted) return [0];
      throw error;
    });
    if (code === 0) return;
    throw new Failure(
      'transient',
      'SCORECARD_FAILED',
      `the table of ${date} was not built: ${said.trim()}`,
    );
  };

/** Characters of what the process wrote before it ended. */
const SAID_CHARS = 500;
