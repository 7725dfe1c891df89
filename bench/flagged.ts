/**
 * The cost of review cases and webhooks for each transaction, where one in twenty is flagged. Counted is the processor time of all
 * processes of the engine: while transactions are scored and what is flagged is named, and then until the last case is open and the
 * last event delivered.
 */
import type { Bench, BenchReport, Settings } from './support/bench.ts';
import { type Round, STEPS, startRounds } from './support/flagged-round.ts';
import {
  DAY_MS,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  lastMidnightMs,
  loadName,
  MONTH_LOAD,
  readLoad,
  readSettings,
} from './support/load.ts';
import { readOptions } from './support/options.ts';
import { spreadOf } from './support/spread.ts';

const USAGE = `--rounds N         (5)
--batch N          transactions a request (1000)
${LOAD_USAGE}
By default a round has 100,000 transactions of the next four weeks, the first after 20,000 that are not measured. Some of them are
simulated fraud, of which the default rules see a part: they flag one in twenty. The report says how many.`;

/** Share of simulated fraud at which the default rules flag a twentieth: accounts have five transactions in four weeks. */
const FRAUD_RATE = 0.1;
const LOAD: Load = {
  ...MONTH_LOAD,
  ...{ transactions: 100_000, unmeasured: 20_000, fraudRate: FRAUD_RATE },
};
/** Cases and a webhook together may cost a twentieth of a transaction. */
const SHARE_MAX = 0.05;

const togetherOf = (cpuUs: Readonly<Record<string, number>>) => cpuUs['together'] ?? 0;

function toReport(load: Load, settings: Settings, rounds: readonly Round[]): BenchReport {
  const median = (read: (round: Round) => number) => spreadOf(rounds.map(read)).median;
  const share = spreadOf(
    rounds.map(({ cpuUs: { scoring, care } }) => togetherOf(care) / togetherOf(scoring)),
  );
  const roles = Object.keys(rounds[0]?.cpuUs.scoring ?? {});
  return {
    caseName: loadName(load),
    inputs: { ...load, rounds: rounds.length },
    settings,
    versions: {},
    perSecond: 1e6 / median(({ cpuUs }) => togetherOf(cpuUs.scoring)),
    figures: {
      flagged_percent: 100 * median(({ flaggedShare }) => flaggedShare),
      decisions_an_event: median(({ decisionsAnEvent }) => decisionsAnEvent),
      added_percent: 100 * share.median,
      added_percent_from: 100 * share.min,
      added_percent_to: 100 * share.max,
    },
    ceilings: [],
    tables: [
      {
        title: 'processor time a transaction, medians of rounds, µs',
        rows: STEPS.map((step) => ({
          step,
          ...Object.fromEntries(
            roles.map((role) => [role, median(({ cpuUs }) => cpuUs[step][role] ?? 0).toFixed(1)]),
          ),
        })),
      },
    ],
    breaches: [
      ...rounds.flatMap(({ breaches }) => breaches),
      ...(share.median > SHARE_MAX ? ['cases and a webhook cost more than 5 %'] : []),
    ],
  };
}

/** The load in a time of its own, so many of its spans before the end: accounts are as busy in each. */
const windowOf = (load: Load, spans: number): Load => ({
  ...load,
  endMs: (load.endMs ?? lastMidnightMs()) - spans * load.days * DAY_MS,
});

export const bench: Bench = {
  name: 'flagged',
  question: 'What do review cases and webhooks cost a transaction, where one in twenty is flagged?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = { rounds: { or: 5, max: 12 }, batch: { or: 1000, max: 1000 } };
    const { values, numbers } = readOptions(args, wholes, LOAD_OPTIONS);
    const { rounds: count, batch } = numbers;
    const load = { ...readLoad(values, LOAD), batch };
    const settings = readSettings(values.set);
    await using engine = await startRounds(windowOf(load, count), settings, context);
    const rounds: Round[] = [];
    for (let round = 1; round <= count; round++) {
      context.output.note(`round ${round} of ${count}`);
      const seed = `${load.seed}-${round}`;
      rounds.push(await engine.measure({ ...windowOf(load, count - round), seed }));
    }
    yield toReport(load, settings, rounds);
  },
};
