/**
 * What do review cases and webhooks cost a transaction where one in twenty is flagged? Rounds of three arms in turn in one
 * engine: no case is made, cases are made, and cases are made and a webhook takes what is flagged. Counted is the processor time of all processes of the engine until the last case is open and the last event delivered.
 */
import { integerOption, parseArguments } from '../src/cli/command.ts';
import type { Bench, BenchReport, Settings } from './support/bench.ts';
import { ARMS, type Arm, type Round, startArms } from './support/flagged-arms.ts';
import {
  DAY_MS,
  integerList,
  LOAD_OPTIONS,
  LOAD_USAGE,
  type Load,
  lastMidnightMs,
  loadName,
  MONTH_LOAD,
  readLoad,
  readSettings,
} from './support/load.ts';
import { pairedRatioOf } from './support/rank-interval.ts';
import { spreadOf } from './support/spread.ts';

const USAGE = `--rounds N         (8)
--batch N          transactions a request (1000)
${LOAD_USAGE}
By default each arm of a round has 50,000 transactions of the next two weeks, the first after 20,000 that are not measured; a
fifth of them are simulated fraud, of which the default rules see some: they flag one in twenty. The report says how many.`;

/** Share of simulated fraud at which the default rules flag a twentieth: accounts have two to three transactions in two weeks. */
const FRAUD_RATE = 0.21;
const LOAD: Load = {
  ...MONTH_LOAD,
  ...{ transactions: 50_000, unmeasured: 20_000, days: 14, fraudRate: FRAUD_RATE },
};
/** Both together may cost a twentieth of a transaction. */
const SHARE_MAX = 0.05;

type Rounds = Readonly<Record<Arm, readonly Round[]>>;

const together = (rounds: readonly Round[]) => rounds.map(({ cpuUs }) => cpuUs['together'] ?? 0);
const median = (rounds: readonly Round[], read: (round: Round) => number) =>
  spreadOf(rounds.map(read)).median;

/** What is added from one arm to the next. */
function priceOf(what: string, before: readonly Round[], now: readonly Round[]) {
  const { ratio, low, high } = pairedRatioOf(together(before), together(now));
  // Fewer than six rounds have no interval.
  const share = (one: number) => (Number.isFinite(one) ? `${(100 * (one - 1)).toFixed(1)} %` : '–');
  const costs = together(now).map((cost, round) => cost - (together(before)[round] ?? Number.NaN));
  const us = spreadOf(costs).median;
  return {
    row: { what, us: us.toFixed(1), share: share(ratio), from: share(low), to: share(high) },
    ...{ us, low },
  };
}

function toReport(load: Load, settings: Settings, rounds: Rounds): BenchReport {
  const all = ARMS.flatMap((arm) => rounds[arm]);
  const cases = priceOf('review cases', rounds.neither, rounds.cases);
  const webhook = priceOf('a webhook', rounds.cases, rounds.webhook);
  const both = priceOf('both', rounds.neither, rounds.webhook);
  const us = spreadOf(together(rounds.webhook)).median;
  return {
    caseName: loadName(load),
    inputs: { ...load, rounds: rounds.neither.length },
    settings,
    versions: {},
    perSecond: 1e6 / us,
    figures: {
      flagged_percent: 100 * median(all, ({ flaggedShare }) => flaggedShare),
      decisions_an_event: median(rounds.webhook, ({ decisionsAnEvent }) => decisionsAnEvent),
      cases_us: cases.us,
      webhook_us: webhook.us,
      both_us: both.us,
    },
    ceilings: [],
    tables: [
      {
        title: 'processor time a transaction, medians, µs',
        rows: ARMS.map((arm) => ({
          arm,
          ...Object.fromEntries(
            Object.keys(rounds[arm][0]?.cpuUs ?? {}).map((role) => [
              role,
              median(rounds[arm], ({ cpuUs }) => cpuUs[role] ?? 0).toFixed(1),
            ]),
          ),
        })),
      },
      {
        title: 'what is added, medians of rounds, with 95 % intervals',
        rows: [cases, webhook, both].map(({ row }) => row),
      },
    ],
    breaches: [
      ...all.flatMap(({ breaches }) => breaches),
      ...(both.low - 1 > SHARE_MAX ? ['both cost more than 5 %'] : []),
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
  onlyByName: 'eight rounds of three arms take ten minutes',
  usage: USAGE,
  run: async function* (args, context) {
    const text = { type: 'string' } as const;
    const { values } = parseArguments(args, {
      ...LOAD_OPTIONS,
      ...{ rounds: { ...text, default: '8' }, batch: { ...text, default: '1000' } },
    });
    const count = integerOption('--rounds', values.rounds, { min: 1, max: 100 }, 8);
    const [batch = 0] = integerList('--batch', values.batch, 1, 1000);
    const load = { ...readLoad(values, LOAD), batch };
    const settings = readSettings(values.set);
    const rounds: Record<Arm, Round[]> = { neither: [], cases: [], webhook: [] };
    await using arms = await startArms(windowOf(load, count * ARMS.length), settings, context);
    for (let round = 0; round < count; round++) {
      // Each round begins with another arm, so that none always follows the same one.
      const shift = round % ARMS.length;
      for (const [turn, arm] of [...ARMS.slice(shift), ...ARMS.slice(0, shift)].entries()) {
        context.output.note(`round ${round + 1} of ${count}, ${arm}`);
        const before = count * ARMS.length - round * ARMS.length - turn - 1;
        const own = { ...windowOf(load, before), seed: `${load.seed}-${round}-${arm}` };
        rounds[arm].push(await arms.measure(arm, own));
      }
    }
    yield toReport(load, settings, rounds);
  },
};
