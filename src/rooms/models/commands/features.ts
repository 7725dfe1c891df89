/**
 * `risk features rebuild`: vectors of today's schema for scores that were made with an older one, for people to
 * look at by SQL. Training uses logged vectors only, as these include siblings and labels that came too late
 * for the score.
 */
import { FEATURE_SCHEMA } from '../../../core/domain/feature-schema.ts';
import { createRecomputeVectors } from '../../../core/profile/recompute-vectors.ts';
import { loadTransactions } from '../../../core/store/transactions/read-transactions.ts';
import { type Command, EXIT, parseArguments, UsageError } from '../../../kit/command/command.ts';
import { DAY_MS, dateOption } from '../../../kit/command/date-options.ts';
import { EXIT_BAD_CONFIGURATION } from '../../../kit/config/config.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { listOutdatedScores, storeRecomputedFeatures } from '../store/recomputed-features.ts';

const PAGE_SCORES = 500;

export const command: Command = {
  name: 'features',
  summary: 'Computes the features of older scores again.',
  usage: `risk features rebuild --from DATE --to DATE [--json]

Computes the vectors of scores with an older feature schema again, from the transactions and labels that Postgres has
today, and stores them in recomputed_features. No score changes. May be interrupted and run again. Needs DATABASE_URL.

  --from DATE   first day of created_at, UTC, as 2026-11-01
  --to DATE     last day, inclusive`,
  needs: ['DATABASE_URL'],
  async run(args, { config, output, signal }) {
    const { values, positionals } = parseArguments(
      args,
      { from: { type: 'string' }, to: { type: 'string' } },
      { required: ['rebuild'] },
    );
    if (positionals[0] !== 'rebuild') throw new UsageError(`cannot ${positionals[0]} features`);
    const fromMs = dateOption('--from', values.from);
    const toMs = dateOption('--to', values.to) + DAY_MS;
    if (toMs <= fromMs) throw new UsageError('--to is before --from');
    const { DATABASE_URL: url } = config;
    if (url === undefined) {
      output.error('DATABASE_URL: is needed by features');
      return EXIT_BAD_CONFIGURATION;
    }
    await using database = openDatabase(config, url, 'features', { connectionsMax: 2 });
    const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
    const recomputed = await rebuild(database, { fromMs, toMs, maturityDays, signal });
    output.record({ feature_schema: FEATURE_SCHEMA, recomputed, complete: !signal.aborted });
    return signal.aborted ? EXIT.failed : EXIT.fine;
  },
};

type RebuildOptions = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly maturityDays: number;
  readonly signal: AbortSignal;
};

async function rebuild(
  database: Database,
  { fromMs, toMs, maturityDays, signal }: RebuildOptions,
): Promise<number> {
  const recompute = createRecomputeVectors(database, maturityDays);
  const span = { fromMs, toMs, featureSchema: FEATURE_SCHEMA, limit: PAGE_SCORES };
  let after: string | null = null;
  let recomputed = 0;
  while (!signal.aborted) {
    const ids = await listOutdatedScores(database, { ...span, after });
    const last = ids.at(-1);
    if (last === undefined) break;
    const transactions = await loadTransactions(database, ids);
    const vectors = await recompute(transactions);
    const found = transactions.map(({ transactionId }) => transactionId);
    if (found.length > 0) {
      await storeRecomputedFeatures(database, found, vectors, FEATURE_SCHEMA);
    }
    recomputed += found.length;
    after = last;
  }
  return recomputed;
}
