/**
 * The cost of a claim when millions of keys stand. The same claims of random keys, in turn, on a market without a
 * key, on one with many, and on that one without memory for filters; each measurement holds a checkpoint.
 */
import type { Bench, BenchContext, BenchReport } from './support/bench.ts';
import { type ClaimCost, claimRounds, KEY_ARMS, type KeyArm } from './support/claim-rounds.ts';
import { readOptions } from './support/options.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { type Services, startServices } from './support/services.ts';
import { spreadOf } from './support/spread.ts';
import { openEmptyMarket, openStandingMarket } from './support/standing-keys.ts';

const USAGE = `--standing N       random keys that stand (1000000)
--batch N[,N]      transactions a claim (1000,100,1)
--claims N         keys a measurement, a tenth of it where each is claimed alone (50000)
--rounds N         measurements of each kind, in turn (5)`;

const COST_RATIO_MAX = 1.25;

async function* measure(
  services: Services,
  {
    standing,
    batches,
    claims,
    rounds,
  }: Record<'standing' | 'claims' | 'rounds', number> & {
    readonly batches: readonly number[];
  },
  { output, signal }: BenchContext,
): AsyncGenerator<BenchReport> {
  const note = (text: string) => output.note(text);
  await using empty = await openEmptyMarket(services);
  await using full = await openStandingMarket(services, standing, note);
  for (const batch of batches) {
    note(`batches of ${batch}`);
    const keys = batch === 1 ? Math.ceil(claims / 10) : claims;
    const costs = await claimRounds(services, { empty, full }, { batch, keys, rounds }, signal);
    const ratio = ratioOf(costs, 'standing');
    yield {
      caseName: `batches of ${batch}`,
      inputs: { standing, batch, keys, rounds, ...services.settings },
      settings: {},
      versions: services.versions,
      perSecond: 1e6 / median(costs, 'standing', 'serverUs'),
      figures: {
        ...Object.fromEntries(KEY_ARMS.flatMap((arm) => armFigures(costs, arm))),
        cost_ratio: ratio,
        cost_ratio_without_filters: ratioOf(costs, 'unfiltered'),
        filter_bytes_per_key: full.filterBytes() / standing,
        filter_build_seconds: full.filterSeconds,
        key_bytes: full.keyBytes,
        slices: full.sliceCount,
      },
      ceilings: [],
      tables: [],
      breaches:
        ratio > COST_RATIO_MAX
          ? [`a claim costs ${ratio.toFixed(2)} times as much, above ${COST_RATIO_MAX}`]
          : [],
    };
  }
}

type Costs = Readonly<Record<KeyArm, readonly ClaimCost[]>>;

function median(costs: Costs, arm: KeyArm, figure: keyof ClaimCost): number {
  return spreadOf(costs[arm].map((cost) => cost[figure])).median;
}

/** The median of each round's own ratio, as the machine may be slower in one round than in another. */
function ratioOf(costs: Costs, arm: KeyArm): number {
  const ratios = costs[arm].map(
    ({ serverUs }, round) => serverUs / (costs.empty[round]?.serverUs ?? 0),
  );
  return spreadOf(ratios).median;
}

function armFigures(costs: Costs, arm: KeyArm): [string, number][] {
  return [
    [`${arm}_postgres_us_per_key`, median(costs, arm, 'serverUs')],
    [`${arm}_client_us_per_key`, median(costs, arm, 'clientUs')],
    [`${arm}_wal_bytes_per_key`, median(costs, arm, 'walBytes')],
  ];
}

export const bench: Bench = {
  name: 'keys',
  question: 'What does a claim cost when millions of idempotency keys stand?',
  usage: USAGE,
  run: async function* (args, context) {
    const wholes = {
      standing: { or: 1_000_000, max: 1_000_000_000 },
      batch: { or: [1000, 100, 1], max: 1000 },
      claims: { or: 50_000, min: 1000, max: 10_000_000 },
      rounds: { or: 5, max: 100 },
    };
    const { standing, batch: batches, claims, rounds } = readOptions(args, wholes, {}).numbers;
    const { log, signal } = context;
    await using folder = await makeRunFolder('risk-bench');
    await using services = await startServices({
      dataDir: `${folder.path}/data`,
      log,
      signal,
    });
    yield* measure(services, { standing, batches, claims, rounds }, context);
  },
};
