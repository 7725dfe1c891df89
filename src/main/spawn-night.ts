/** Builds a table of the day in a process of its own, which gives way to all others on the machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RunNight } from '../core/repair/night-duty.ts';
import type { Environment } from '../kit/config/config.ts';
import { Failure } from '../kit/words/failure.ts';
import { DAY_MS } from '../kit/words/range.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/risk', import.meta.url));
const NICE = 10;
/** With the code of Node a process of 96 MiB at most. */
const HEAP = '--max-old-space-size=48';

export const spawnNight =
  (environment: Environment): RunNight =>
  async (day, signal) => {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 'YYYY-MM-DD'.length);
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
