/** The stage on which a scenario acts: the stage waits, and notes what a scenario saw. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Check } from './checker.ts';
import type { Ledger } from './ledger.ts';
import type { Bound, Stage } from './scenario.ts';

const POLL_MS = 50;
/** A wait for traffic has this beside twice the time that the rate takes. */
const PROGRESS_SLACK_MS = 180_000;
const UNTIL_TIMEOUT_MS = 60_000;

export type Notes = {
  readonly faults: Map<string, number>;
  readonly bars: Check[];
  readonly remarks: string[];
};
export const openNotes = (): Notes => ({ faults: new Map(), bars: [], remarks: [] });

export function remarksOf({ remarks }: Notes, { improper }: Ledger): string[] {
  return improper === undefined ? remarks : [...remarks, `improper answer: ${improper}`];
}

type StageParts = Omit<Stage, 'happened' | 'bar' | 'remark' | 'progress' | 'pause' | 'until'> & {
  readonly notes: Notes;
  readonly rate: number;
};

export function createStage({ notes, rate, ...parts }: StageParts): Stage {
  const { ledger, signal, transactions } = parts;
  const until: Stage['until'] = async (what, isSo, timeoutMs = UNTIL_TIMEOUT_MS) => {
    const deadline = performance.now() + timeoutMs;
    while (!(await isSo())) {
      if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await delay(POLL_MS, undefined, { signal });
    }
  };
  return {
    ...parts,
    until,
    happened: (fault, times = 1) => {
      notes.faults.set(fault, (notes.faults.get(fault) ?? 0) + times);
    },
    bar: (check, found, bound, invariant) => {
      notes.bars.push({ invariant: invariant ?? 'bar', check, found, ...holds(found, bound) });
    },
    remark: (text) => {
      notes.remarks.push(text);
    },
    progress: (share) => {
      const goal = Math.floor(share * transactions);
      return until(
        `${goal} acknowledged`,
        () => ledger.counts.acknowledged >= goal,
        PROGRESS_SLACK_MS + (2000 * transactions) / rate,
      );
    },
    pause: async (ms) => {
      await delay(ms, undefined, { signal });
    },
  };
}

function holds(found: number, bound: Bound): { expected: string; ok: boolean } {
  if ('atMost' in bound) return { expected: `≤ ${bound.atMost}`, ok: found <= bound.atMost };
  if ('atLeast' in bound) return { expected: `≥ ${bound.atLeast}`, ok: found >= bound.atLeast };
  return { expected: `${bound.exactly}`, ok: found === bound.exactly };
}
