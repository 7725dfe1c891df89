/**
 * The ratios of the regression guard: a reference by the engine under a load, measured right before or after, so that a slow hour or a
 * slow machine changes both sides. References are the bare pipeline, which is frozen, an HTTP echo, the engine with one worker, and the
 * engine with all parties in memory. All ratios fall when the engine gets slower.
 */
import type { BenchContext } from '../support/bench.ts';
import { DAY_MS, LIVE_LOAD, type Load, lastMidnightMs } from '../support/load.ts';
import { dayLoad, ONE_CORRIDOR, SIX_CORRIDORS } from '../support/named-loads.ts';
import {
  CLIFF,
  type Contestant,
  type Contestants,
  type Name,
  startContestants,
  type Taken,
} from './contestants.ts';
import { coreByJson } from './pure-core.ts';

/** By name, as the baseline has them. */
export type Ratios = Readonly<Record<string, number>>;

/** More rounds: the days that rounds simulate reach further back than a month. */
export const ROUNDS_MAX = 20;

type Case = {
  readonly name: string;
  readonly contestant: Name;
  readonly load: Load;
  /** Transactions sent before the first round; as many as before each round, unless it is given. */
  readonly first?: number;
};

/** Seven rounds send the engine 570,000; with three times as many its ratios fell to a third by the last round. */
const BATCHES: Load = { ...SIX_CORRIDORS, transactions: 20_000, unmeasured: 10_000 };
const BUSY_CORRIDOR: Load = { ...ONE_CORRIDOR, transactions: 20_000, unmeasured: 10_000 };
const HUNDREDS: Load = { ...SIX_CORRIDORS, batch: 100, transactions: 10_000, unmeasured: 5000 };
const SINGLES: Load = { ...SIX_CORRIDORS, batch: 1, transactions: 4000, unmeasured: 1000 };
const POSTED: Load = { ...SINGLES, connections: 64 };
const WAITED: Load = {
  ...SINGLES,
  transactions: 1500,
  unmeasured: 500,
  connections: 128,
  rate: 500,
  waitSeconds: 5,
};

/** A tenth of a day's parties. A day would end by its time. */
const { seconds: _, ...UNTIMED_DAY } = dayLoad();
const DAY: Load = {
  ...UNTIMED_DAY,
  accounts: 20_000,
  merchants: 1000,
  transactions: 10_000,
  unmeasured: 5000,
  days: 1,
};
const DAY_FIRST = 50_000;

const BARE: Case = { name: 'bare', contestant: 'bare', load: BATCHES };
const BARE_SINGLES: Case = { name: 'bare singles', contestant: 'bare', load: POSTED };
const SINGLE_POSTS: Case = { name: 'single posts', contestant: 'engine', load: POSTED };
const DECISIONS: Case = {
  name: 'waited decisions, 500 a second',
  contestant: 'engine',
  load: WAITED,
};
const BY_BARE: readonly Case[] = [
  { name: 'batches of 1,000', contestant: 'engine', load: BATCHES },
  { name: 'one corridor', contestant: 'engine', load: BUSY_CORRIDOR },
  { name: 'one corridor, two workers', contestant: 'two workers', load: BUSY_CORRIDOR },
  { name: 'batches of 100', contestant: 'engine', load: HUNDREDS },
  { name: 'day', contestant: 'day', load: DAY, first: DAY_FIRST },
];
const BY_BARE_SINGLES: readonly Case[] = [SINGLE_POSTS, DECISIONS];

const ECHOED_POSTS: Case = { ...SINGLE_POSTS, name: 'echoed posts', contestant: 'echo' };
const ECHOED_DECISIONS: Case = { ...DECISIONS, name: 'echoed decisions', contestant: 'echo' };

/** A worker's code is young for 20,000 transactions. */
const YOUNG = 20_000;
/** Copies of the profiles take in what other workers append, so workers that have room do each other's work again. */
const AT_RATE: Load = { ...SIX_CORRIDORS, rate: 6000, transactions: 8000, unmeasured: 2000 };
const ONE_WORKER: Case = {
  name: '1 worker at 6,000 a second',
  contestant: 'engine',
  load: AT_RATE,
  first: YOUNG,
};
const SEVERAL: readonly Case[] = [
  {
    ...ONE_WORKER,
    name: '2 workers at 6,000 a second',
    contestant: 'two workers',
    first: 2 * YOUNG,
  },
  {
    ...ONE_WORKER,
    name: '4 workers at 6,000 a second',
    contestant: 'four workers',
    first: 4 * YOUNG,
  },
];

const DRAWN: Load = { ...LIVE_LOAD, drawnBy: 0, transactions: 10_000, unmeasured: 3000 };
/** Other parties push these few out of memory between two rounds, so the unmeasured transactions bring them back. */
const FEW: Load = {
  ...DRAWN,
  unmeasured: 8000,
  accounts: CLIFF.accounts / 20,
  merchants: CLIFF.merchants / 20,
};
const IN_MEMORY: Case = {
  name: 'all in memory',
  contestant: 'cliff',
  load: FEW,
};
/** The first transactions leave snapshots of most parties in Postgres. */
const BEYOND_MEMORY: Case = {
  ...IN_MEMORY,
  name: 'more parties than memory',
  load: { ...DRAWN, ...CLIFF },
  first: 2 * CLIFF.accounts,
};

/** Cases whose systems run at the same time: a reference and what is compared with it. */
const GROUPS: readonly (readonly Case[])[] = [
  [BARE, ...BY_BARE, BARE_SINGLES, ...BY_BARE_SINGLES, ECHOED_DECISIONS, ECHOED_POSTS],
  [ONE_WORKER, ...SEVERAL],
  [IN_MEMORY, BEYOND_MEMORY],
];

type Cost = (one: Case, unit: keyof Taken) => number;
type Ratio = { readonly name: string; readonly read: (cost: Cost) => number };

function ratio(words: string, reference: Case, one: Case, unit: keyof Taken): Ratio {
  return {
    name: `${words}: ${one.name}`,
    read: (cost) => cost(reference, unit) / cost(one, unit),
  };
}

const RATIOS: readonly Ratio[] = [
  ...BY_BARE.map((one) =>
    ratio("processor time of the bare pipeline by the engine's", BARE, one, 'cpuSeconds'),
  ),
  ...BY_BARE_SINGLES.map((one) =>
    ratio("processor time of bare single posts by the engine's", BARE_SINGLES, one, 'cpuSeconds'),
  ),
  ...BY_BARE.filter(({ load }) => load.batch === BATCHES.batch).map((one) =>
    ratio("rate by the bare pipeline's", BARE, one, 'seconds'),
  ),
  ...(
    [
      [ECHOED_POSTS, SINGLE_POSTS],
      [ECHOED_DECISIONS, DECISIONS],
    ] as const
  ).map(([echoed, one]) =>
    ratio("processor time of an HTTP echo by the engine's", echoed, one, 'cpuSeconds'),
  ),
  ratio("median answer of an HTTP echo by the engine's", ECHOED_DECISIONS, DECISIONS, 'p50Ms'),
  ...SEVERAL.map((one) =>
    ratio('processor time with one worker by that with several', ONE_WORKER, one, 'cpuSeconds'),
  ),
  ratio(
    'processor time with all parties in memory by that',
    IN_MEMORY,
    BEYOND_MEMORY,
    'cpuSeconds',
  ),
  ratio('rate by that with all parties in memory', IN_MEMORY, BEYOND_MEMORY, 'seconds'),
  { name: 'pure core by JSON of the same transactions', read: coreByJson },
];
export const RATIO_NAMES: readonly string[] = RATIOS.map(({ name }) => name);

/** By round. Groups are measured one after the other, so that few systems are idle beside a measured one. */
export async function measureRounds(rounds: number, context: BenchContext): Promise<Ratios[]> {
  const costs: ReadonlyMap<Case, Taken>[] = [];
  for (const group of GROUPS) {
    context.output.note(`starting ${group.map(({ name }) => name).join('; ')}`);
    await using contestants = await openContestants(group, context);
    for (let round = 0; round < rounds; round++) {
      context.output.note(`round ${round + 1} of ${rounds}`);
      const taken = await measureRound(round, group, contestants);
      costs[round] = new Map([...(costs[round] ?? []), ...taken]);
    }
  }
  return costs.map((taken) => {
    const cost: Cost = (one, unit) => taken.get(one)?.[unit] ?? Number.NaN;
    return Object.fromEntries(RATIOS.map(({ name, read }) => [name, read(cost)]));
  });
}

/** Starts the systems of a group and sends each what it is to know before the first round. */
async function openContestants(
  group: readonly Case[],
  context: BenchContext,
): Promise<Contestants> {
  const names = group.map(({ contestant }) => contestant);
  await using opened = new AsyncDisposableStack();
  const contestants = opened.use(await startContestants(names, context));
  for (const one of group) {
    const load = { ...loadOf(one, -1), rate: 0 };
    await contestantOf(one, contestants).warmUp({
      ...load,
      unmeasured: one.first ?? load.unmeasured,
    });
  }
  opened.move();
  return contestants;
}

/** The order changes from round to round, as the second system finds the machine as the first left it. */
async function measureRound(
  round: number,
  group: readonly Case[],
  contestants: Contestants,
): Promise<Map<Case, Taken>> {
  const taken = new Map<Case, Taken>();
  const shift = round % group.length;
  for (const one of [...group.slice(shift), ...group.slice(0, shift)]) {
    const load = loadOf(one, round);
    const contestant = contestantOf(one, contestants);
    await contestant.warmUp(load);
    taken.set(one, await contestant.run(load));
  }
  return taken;
}

function contestantOf({ contestant }: Case, contestants: Contestants): Contestant {
  const found = contestants.get(contestant);
  if (found === undefined) throw new Error(`${contestant} does not run`);
  return found;
}

/** Each round has transactions and keys of its own, and simulated days of its own that follow those of the round before. */
function loadOf({ name, load }: Case, round: number): Load {
  const daysLeft = 2 * (ROUNDS_MAX - round);
  return { ...load, seed: `${name}-${round}`, endMs: lastMidnightMs() - daysLeft * DAY_MS };
}
