/** Runs work in a process of its own, which gives way to all others on the machine. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RunAside } from '../core/room.ts';
import { textOfDay } from '../core/score/scorecard/day-table.ts';
import type { CommandContext } from '../kit/command/command.ts';
import { Failure } from '../kit/words/failure.ts';

const PROGRAM = fileURLToPath(new URL('aside.ts', import.meta.url));
const NICE = 10;
/** Bounds of memory beside the heap. Smaller: a program collects garbage most of its time. */
const HEAP = [
  ...['--min-semi-space-size=1', '--max-semi-space-size=1'],
  ...['--v8-pool-size=1', '--heap-growing-percent=40'],
];
/** The C library hands buffers of the threshold and more back at once. */
const MEMORY = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '32768' };
/** Characters of what the process wrote before it ended. */
const SAID_CHARS = 500;

/** A loader that a Node without types needs; bounds of memory are those of the worker. */
const loaders = () => process.execArgv.filter((flag) => flag.startsWith('--import'));

export const spawnAside =
  ({ config, environment }: Pick<CommandContext, 'config' | 'environment'>): RunAside =>
  async ({ name, module, run, makes, heapMib }, day, signal) => {
    const flags = [`--max-old-space-size=${heapMib}`, ...HEAP, ...loaders()];
    const child = spawn(process.execPath, [...flags, PROGRAM, name, fileURLToPath(module), run], {
      env: { ...environment, ...MEMORY },
      stdio: ['pipe', 'ignore', 'pipe'],
      signal,
    });
    if (child.pid !== undefined) setPriority(child.pid, NICE);
    // A process that ends before it has read says why by itself.
    child.stdin.on('error', () => undefined).end(JSON.stringify({ config, day }));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-SAID_CHARS);
    });
    const [code, killed] = await once(child, 'close').catch((error: unknown) => {
      if (signal.aborted) return [0];
      throw error;
    });
    if (code === 0) return;
    const why = said.trim() || `the process ended with ${killed ?? code}`;
    throw new Failure(
      'transient',
      'ASIDE_FAILED',
      `the ${makes} of ${textOfDay(day)} was not made: ${why}`,
    );
  };
