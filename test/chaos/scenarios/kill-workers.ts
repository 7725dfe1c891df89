/**
 * All workers are killed at once, at drawn moments under load, so that nobody takes over: what they held waits until it may be
 * claimed.
 */
import { integerBetween } from '../../../src/kit/random.ts';
import type { Scenario, Stage } from '../support/scenario.ts';
import { heldBy } from '../support/streams.ts';

const ROUNDS_MIN = 4;
const ROUNDS_MAX = 100;
const EVERY_MS = 2000;
const NAMES = ['worker-1', 'worker-2', 'worker-3'] as const;
const STOPS_MAX = 200;
/** Not a multiple of the interval between batches. */
const BETWEEN_STOPS_MS = 13;

/** Stops a worker again and again (SIGSTOP) until it has been caught between a read and its end. */
async function stopWithEntries({ services, pause }: Stage, pid: number): Promise<void> {
  for (let tries = 0; tries < STOPS_MAX; tries++) {
    process.kill(pid, 'SIGSTOP');
    if ((await heldBy(services, pid)).length > 0) return;
    process.kill(pid, 'SIGCONT');
    await pause(BETWEEN_STOPS_MS);
  }
}

async function killAll(stage: Stage, caught: number): Promise<void> {
  const { engine, services, happened } = stage;
  const pids = NAMES.map((name) => engine.process(name).pid);
  await stopWithEntries(stage, pids[caught] ?? 0);
  await Promise.all(NAMES.map((name) => engine.kill(name)));
  happened('workers killed', NAMES.length);
  const held = await Promise.all(pids.map((pid) => heldBy(services, pid)));
  if (held.flat().length > 0) happened('killed with entries in hand');
  await Promise.all(NAMES.map((name) => engine.start('worker', name)));
}

export const killWorkers: Scenario = {
  name: 'kill-workers',
  what: 'kill -9 of all three workers at once every two seconds, a model deciding',
  setup: { workers: NAMES.length, hasModel: true },
  plan: (random, { transactions, rate }) => {
    // As many rounds as fit into the run.
    const rounds = Math.ceil((transactions / rate / EVERY_MS) * 1000);
    const count = Math.min(ROUNDS_MAX, Math.max(ROUNDS_MIN, rounds));
    const pauses = Array.from({ length: count }, () =>
      integerBetween(random, EVERY_MS / 2, (EVERY_MS * 3) / 2),
    );
    return {
      schedule: pauses.map((ms) => `after ${ms} ms`),
      faults: ['workers killed', 'killed with entries in hand'],
      run: async (stage) => {
        for (const [round, ms] of pauses.entries()) {
          await stage.pause(ms);
          await killAll(stage, round % NAMES.length);
        }
      },
    };
  },
};
