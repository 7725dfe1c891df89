/** Figures of the other markets before and after a rollback: what they have, and whether scores compute to themselves. */
import { toScoreJson } from '../../core/domain/score-record.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import type { OpenModels } from '../../core/score/judge.ts';
import { judgedVector } from '../../core/score/scorecard/judge-by-table.ts';
import { verifyScore } from '../../core/score/verify-score.ts';
import { findStoredRuleSet } from '../../core/store/rule-sets/rule-sets.ts';
import { createFindTable } from '../../core/store/scorecards/find-tables.ts';
import { readScoreRecord } from '../../core/store/scores/read-scores.ts';
import { MARKETS } from '../../kit/database/market-reach.ts';
import type { Database } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import type { Figures } from './archive-file.ts';
import { sha256 } from './part-file.ts';

/** How many scores are computed again. Larger: a rollback takes longer. */
const SAMPLE_SCORES = 200;
/** Most times to a score that are compared. Larger: a rollback takes longer; smaller: the p99 is less exact. */
const TIMED_SCORES_MAX = 20_000;

const listOthers = rowsOf<{ market: string }, [market: string]>(
  'list-other-markets',
  `select market::text from (${MARKETS}) as markets where market <> $1 order by market`,
);

const countRows = onlyOf<Pick<Figures, 'transactions' | 'scores' | 'dead_letters'>>(
  'count-rows-of-market',
  `select (select count(*) from market.transactions)::float8 as transactions,
          (select count(*) from market.scores)::float8 as scores,
          (select count(*) from market.dead_letters)::float8 as dead_letters`,
);

const newestScores = rowsOf<{ id: string }, [rowsMax: number]>(
  'list-newest-scores',
  'select transaction_id::text as id from market.scores order by transaction_id desc limit $1',
);

type Times = NonNullable<Figures['times']>;
type Scored = Pick<Times, 'scored' | 'scored_p50_ms' | 'scored_p99_ms'>;
const readScored = onlyOf<Scored, [from: Date, to: Date, createdFrom: Date]>(
  'read-times-to-score',
  `select count(*)::int4 as scored,
          percentile_cont(0.5) within group (order by ms) as scored_p50_ms, percentile_cont(0.99) within group (order by ms) as scored_p99_ms
     from (select extract(epoch from s.scored_at - t.received_at)::float8 * 1000 as ms
             from (select * from market.transactions where created_at >= $3::timestamptz and received_at >= $1::timestamptz and received_at < $2::timestamptz) t
             join market.scores s on s.transaction_id = t.transaction_id and s.created_at >= $3::timestamptz limit ${TIMED_SCORES_MAX}) timed`,
);

/** Times of a market: reads now, and decisions of recent transactions that were accepted in a period. */
async function readTimes(database: Database, ids: readonly string[], from: Date): Promise<Times> {
  const times: number[] = [];
  for (const id of ids) {
    const began = performance.now();
    await readScoreRecord(database, id, createdAtMsOf(id) ?? 0);
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? 0;
  const scored = await readScored(
    database.query,
    from,
    new Date(),
    new Date(from.getTime() - DAY_MS),
  );
  return { read_p50_ms: at(0.5), read_p99_ms: at(0.99), ...scored };
}

/** @param sample ids of scores; without them the newest ones @param from time from which on transactions' times to a score are compared */
async function readFigures(
  database: Database,
  market: string,
  openModels: OpenModels,
  from: Date,
  sample?: readonly string[],
): Promise<Figures> {
  const { query } = database;
  const ids = sample ?? (await newestScores(query, SAMPLE_SCORES)).map(({ id }) => id);
  const models = await openModels({ primary: database, replica: null, now: Date.now });
  const findTable = createFindTable(query);
  const texts: string[] = [];
  let different = 0;
  for (const id of ids) {
    const record = await readScoreRecord(database, id, createdAtMsOf(id) ?? 0);
    texts.push(JSON.stringify(record === undefined ? id : toScoreJson(record)));
    if (record === undefined) continue;
    const found = record.model === null ? undefined : await models.find(record.model);
    const judge = found !== undefined && 'model' in found ? found.model : undefined;
    const ruleSet = await findStoredRuleSet(database, record.ruleSet);
    const { scorecard, features, createdAtMs } = record;
    const table = scorecard === null ? null : await findTable(scorecard);
    const judged = judgedVector(features, table, createdAtMs);
    const opinion = record.model === null ? null : judge?.judge([judged])[0];
    if (verifyScore(record, ruleSet, opinion, table).length > 0) different++;
  }
  const counts = await countRows(query);
  return {
    market,
    ...counts,
    sample: [...ids],
    sample_sha256: sha256(texts.join('\n')),
    different,
    // Times are read last, so that the rows of the sample are in memory by then, both before and after.
    times: await readTimes(database, ids, from),
  };
}

export type OtherMarkets = {
  readonly database: Pick<Database, 'query'>;
  /** The market that is rolled back or restored. */
  readonly market: string;
  readonly openMarket: (market: string) => Database;
  readonly openModels: OpenModels;
  readonly note: (text: string) => void;
};

/** Figures of the other markets: before a rollback or restore of the last hour, afterwards of the time since its beginning. */
export async function readOthers(
  { database, market, openMarket, openModels }: OtherMarkets,
  before: readonly Figures[] = [],
  since = new Date(Date.now() - HOUR_MS),
): Promise<Figures[]> {
  const figures: Figures[] = [];
  for (const { market: other } of await listOthers(database.query, market)) {
    await using opened = openMarket(other);
    const sample = before.find((known) => known.market === other)?.sample;
    figures.push(await readFigures(opened, other, openModels, since, sample));
  }
  return figures;
}

/** Reports the times of each other market before and since. @returns the present figures, and the losses of the other markets */
export async function compareOthers(others: OtherMarkets, before: readonly Figures[], since: Date) {
  const after = await readOthers(others, before, since);
  const losses = before.flatMap((figures) => {
    const { market } = figures;
    const now = after.find((other) => other.market === market);
    if (now === undefined) return [`${market} is gone`];
    others.note(`${market}, p50 / p99: before ${timesText(figures)}; since ${timesText(now)}`);
    return lossesOf(figures, now);
  });
  return { after, losses };
}

function timesText({ times }: Figures): string {
  if (times === undefined) return 'not measured';
  const { scored, scored_p50_ms: p50, scored_p99_ms: p99 } = times;
  const ms = (value: number) => value.toFixed(1);
  const said =
    p50 === null || p99 === null
      ? 'no transaction scored'
      : `scored ${scored} in ${ms(p50)} / ${ms(p99)} ms`;
  return `reads ${ms(times.read_p50_ms)} / ${ms(times.read_p99_ms)} ms, ${said}`;
}

/** Losses that a rollback of another market must not cause: rows that are gone, or scores that changed. */
function lossesOf(before: Figures, after: Figures): string[] {
  const losses: string[] = [];
  for (const name of ['transactions', 'scores'] as const) {
    if (after[name] < before[name]) {
      losses.push(`${before.market} has ${after[name]} ${name}, and had ${before[name]}`);
    }
  }
  if (after.sample_sha256 !== before.sample_sha256) losses.push(`${before.market}: scores changed`);
  if (after.different > before.different) {
    losses.push(`${before.market}: ${after.different} scores compute to another score`);
  }
  return losses;
}
