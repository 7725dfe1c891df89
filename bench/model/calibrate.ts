/** Finds the costs and waits with which the model does what was seen of the calibrating runs. */
import { percentiles } from '../support/percentiles.ts';
import type { Costs, Waits } from './costs.ts';
import type { Observation, Observed, Role } from './observe.ts';
import { type Model, type Site, streamsOf } from './plant.ts';
import { regress } from './regress.ts';
import { type Offered, type Outcome, simulate } from './simulate.ts';

/** Part of Postgres' time of a transaction that its claim takes, and part of Redis' that appending takes: no run tells these apart. */
const [CLAIMED, APPENDED] = [0.65, 0.2] as const;
/** Looks of a worker at its streams for each batch. */
const LOOKS = 1.5;
/** Two and four workers take 1.2 and 1.85 times the processor time of one, at the same rate. */
const MERGED_SHARE = 0.24;

export const SEED = '1';

export function siteOf({ workers, readsMissed }: Observation, observed: Observed): Site {
  const { machine, corridors } = observed;
  return {
    ...{ sharedCores: machine.cores, postgresCores: machine.cores, replicas: 0, replicaShare: 0 },
    ...{ apis: 1, workers, corridors, readsMissed },
  };
}

export function offeredOf(one: Observation): Offered {
  const { batch, rate, reads, connections, seconds, transactions } = one;
  return {
    ...{ batch, reads, connections, posts: batch === 0 ? 0 : rate / batch },
    ...{ isRandom: false, unmeasured: 0, transactionsMax: Math.max(1, transactions) },
    seconds: transactions > 0 && rate === 0 ? CLOSED_SECONDS_MAX : seconds,
  };
}
const CLOSED_SECONDS_MAX = 60;
/** In a closed loop a batch has been collected for so long before it is sent (generator.ts). */
const COLLECTED_MS = 50;

/** A run as the model foretells it, in the terms in which the run was seen. */
export type Foretold = Pick<Observation, 'cores' | 'perSecond' | 'answeredMs' | 'scoredMs'> &
  Pick<Outcome, 'commits' | 'batches' | 'used'>;

export function foretell(model: Model, one: Observation, observed: Observed): Foretold {
  const outcome = simulate(model, siteOf(one, observed), offeredOf(one));
  const { posts, reads, scored, used, lasted, commits, batches, perSecond } = outcome;
  const aged = one.rate === 0 ? COLLECTED_MS / 2 : 0;
  const cores = Object.fromEntries(
    Object.entries(used).map(([role, { ms }]) => [role, ms / 1000 / lasted]),
  );
  return {
    ...{ commits, batches, used, perSecond, cores: cores as Observation['cores'] },
    answeredMs: percentiles([...posts, ...reads]),
    scoredMs: one.reads > 0 ? null : percentiles(scored.map((ms) => ms + aged)),
  };
}

/** @param aloneOf how much less processor time a role would have used alone on the machine */
function fitCosts(
  runs: readonly Observation[],
  { idle, corridors }: Observed,
  aloneOf: (run: Observation, role: Role) => number,
): Costs {
  const factors = (role: Exclude<Role, 'others'>, countsOf: (run: Observation) => number[]) => {
    const base = role === 'generator' ? 0 : idle[role];
    const usedUs = (run: Observation) =>
      Math.max(1, (run.cores[role] - base) * run.lasted * 1e6 * aloneOf(run, role));
    const own = runs.filter((run) => countsOf(run).some((count) => count > 0));
    return regress(own.map(countsOf), own.map(usedUs)) as [number, number, number, number];
  };
  const posts = (run: Observation) => (run.batch === 0 ? 0 : run.scoredTransactions / run.batch);
  const reads = (run: Observation) => run.reads * run.seconds;
  const touched = ({ commits, batches, scoredTransactions: rows }: Observation) =>
    rows === 0
      ? 0
      : commits * streamsOf(rows / commits, corridors) +
        batches * streamsOf(rows / batches, corridors);
  const generator = factors('generator', (run) => [posts(run), run.scoredTransactions, reads(run)]);
  const api = factors('api', (run) => [
    posts(run),
    postCommits(run),
    run.scoredTransactions,
    reads(run),
  ]);
  const worker = factors('worker', (run) => [scoring(run), run.scoredTransactions]);
  const postgres = factors('postgres', (run) => [
    postCommits(run) + scoring(run),
    run.scoredTransactions,
    reads(run) * run.readsMissed,
  ]);
  const redis = factors('redis', (run) => [
    touched(run),
    run.scoredTransactions,
    scoring(run) * LOOKS * corridors,
    reads(run) * run.readsMissed,
  ]);
  return {
    generator: { request: generator[0], transaction: generator[1], read: generator[2] },
    api: { request: api[0], commit: api[1], transaction: api[2], read: api[3] },
    worker: { batch: worker[0], transaction: worker[1], mergedShare: MERGED_SHARE },
    postgres: {
      ...{ statement: postgres[0], read: postgres[2] },
      ...{ claimed: postgres[1] * CLAIMED, scored: postgres[1] * (1 - CLAIMED) },
    },
    redis: {
      ...{ stream: redis[0], look: redis[2], read: redis[3] },
      ...{ appended: redis[1] * APPENDED, folded: redis[1] * (1 - APPENDED) },
    },
    idle,
  };
}
/** Duties commit, too, and runs without posts have no others. */
const postCommits = (run: Observation) => (run.scoredTransactions === 0 ? 0 : run.commits);
const scoring = (run: Observation) => (run.scoredTransactions === 0 ? 0 : run.batches);

/** Costs that make a model with these waits use what was seen. */
export function costsWith(waits: Waits, runs: readonly Observation[], observed: Observed): Costs {
  let costs = fitCosts(runs, observed, () => 1);
  if (waits.busySpeed === 1) return costs;
  for (let round = 0; round < 2; round++) {
    const model = { costs, waits, seed: SEED };
    const used = new Map(runs.map((run) => [run, foretell(model, run, observed).used]));
    costs = fitCosts(runs, observed, (run, role) => {
      const { ms = 1, aloneMs = 1 } = used.get(run)?.[role] ?? {};
      return ms === 0 ? 1 : aloneMs / ms;
    });
  }
  return costs;
}

/** Values among which the best are chosen, one name after the other. */
const CHOICES = {
  busySpeed: [1, 0.9, 0.8, 0.7, 0.6],
  hopMs: [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75],
  sigma: [0.2, 0.4, 0.6, 0.8, 1],
  othersThreads: [1, 2, 4, 6, 9],
  othersEveryMs: [5, 20, 60, 150, 400],
} as const;
/** Other programs get less than they ask for where the machine is full: multiples of what they used. */
const OTHERS = [1, 1.5, 2, 3, 5] as const;
const ROUNDS = 2;

export function calibrateModel(observed: Observed): Model {
  const runs = observed.runs.filter(({ use }) => use === 'calibrates');
  const others = runs.reduce((sum, run) => sum + run.cores.others, 0) / runs.length;
  const errorOf = (made: Model) => {
    const errors = runs.flatMap((run) => latencyErrors(run, foretell(made, run, observed)));
    return errors.reduce((sum, error) => sum + error, 0) / errors.length;
  };
  const first: Waits = {
    ...{ hopMs: observed.statementMs / 2, flushMs: observed.flushMs, sigma: 0.4 },
    ...{ busySpeed: 0.8, others, othersThreads: 2, othersEveryMs: 60 },
  };
  let best: Model = { costs: costsWith(first, runs, observed), waits: first, seed: SEED };
  let error = errorOf(best);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, values] of Object.entries({
      ...CHOICES,
      others: OTHERS.map((by) => by * others),
    })) {
      for (const value of values) {
        const waits = { ...best.waits, [name]: value };
        // Only the speed of busy processors changes what a step costs.
        const costs = name === 'busySpeed' ? costsWith(waits, runs, observed) : best.costs;
        const tried = { ...best, costs, waits };
        const own = errorOf(tried);
        if (own >= error) continue;
        error = own;
        best = tried;
      }
    }
  }
  return best;
}

/** By how many times a latency is off, as a logarithm. */
function latencyErrors(seen: Observation, foretold: Foretold): number[] {
  const off = (a: number, b: number) => Math.abs(Math.log(a / b));
  const of = (a: Observation['scoredMs'], b: Observation['scoredMs']) =>
    a === null || b === null ? [] : [off(a.p50, b.p50), off(a.p99, b.p99)];
  return [...of(foretold.answeredMs, seen.answeredMs), ...of(foretold.scoredMs, seen.scoredMs)];
}
