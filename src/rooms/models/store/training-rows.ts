/**
 * Logged vectors with the labels of their transactions, which models are trained on. One snapshot, month by
 * month in time order, a page at a time from a cursor: constant memory, and the same rows however long the
 * reading takes.
 */
import { listMonths, type MonthRange } from '../../../core/store/partitions/month-slice.ts';
import type { ScoreWindow } from '../../../core/store/scores/score-window.ts';
import { copyVector } from '../../../core/store/scores/vector-bytes.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { inSnapshot, readPages } from '../../../kit/database/snapshot.ts';
import type { TrainingRow } from '../training/rows.ts';

/** 1.5 MB on the wire, nearly all of it vectors. */
const PAGE_ROWS = 2000;

type TrainingSelection = {
  readonly featureSchema: number;
  /** Length of its vectors. */
  readonly features: number;
  /** Labels with a later `labelled_at` are not seen. */
  readonly knownByMs: number;
  /** How rows without a label are treated. */
  readonly unlabelled: 'skip' | 'legitimate';
  readonly signal: AbortSignal;
};

export type TrainingReader = {
  /** Scores of the selected schema, labelled or not, and of others. */
  count(window: ScoreWindow): Promise<{ readonly rows: number; readonly otherSchemas: number }>;
  /** @param withCountries joins the transactions, which takes half as long again */
  read(
    window: ScoreWindow,
    withCountries: boolean,
    onPage: (page: readonly TrainingRow[]) => void,
  ): Promise<void>;
};

/** Runs `work` on one snapshot, which does not see later labels. */
export async function readTrainingRows<T>(
  database: Pick<Database, 'query' | 'session'>,
  selection: TrainingSelection,
  work: (reader: TrainingReader) => Promise<T>,
): Promise<T> {
  const months = (await listMonths(database, 'scores')).reverse();
  return await inSnapshot(database, (client) =>
    work({
      count: (window) => countRows(client, partsOf(months, window), selection),
      read: async (window, withCountries, onPage) => {
        for (const part of partsOf(months, window)) {
          const select = selectRows(part, selection, withCountries);
          for await (const rows of readPages<Row>(client, select, PAGE_ROWS, selection.signal)) {
            onPage(rows.map((row) => toRow(row, selection.features)));
          }
        }
      },
    }),
  );
}

/** The window, cut at the bounds of months. */
function partsOf(months: readonly MonthRange[], window: ScoreWindow): ScoreWindow[] {
  return months
    .map(({ fromMs, toMs }) => ({
      fromMs: Math.max(fromMs, window.fromMs),
      toMs: Math.min(toMs, window.toMs),
    }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}

const countSchemas: Statement = {
  text: `
  select count(*) filter (where feature_schema = $3)::int as own,
         count(*) filter (where feature_schema <> $3)::int as other
    from market.scores where created_at >= $1 and created_at < $2`,
};

async function countRows(
  query: Query,
  parts: readonly ScoreWindow[],
  { featureSchema, signal }: TrainingSelection,
) {
  let rows = 0;
  let otherSchemas = 0;
  for (const { fromMs, toMs } of parts) {
    signal.throwIfAborted();
    const values = [new Date(fromMs), new Date(toMs), featureSchema];
    const [counts] = await query<{ own: number; other: number }>(countSchemas, values);
    rows += counts?.own ?? 0;
    otherSchemas += counts?.other ?? 0;
  }
  return { rows, otherSchemas };
}

/**
 * The newest label decides, and of two at the same time fraud, whatever its source (labels.label sorts so).
 * Lateral, so that each row asks one partition by its primary key.
 */
function selectRows(
  part: ScoreWindow,
  { featureSchema, knownByMs, unlabelled }: TrainingSelection,
  withCountries: boolean,
): string {
  const [from, to, knownBy] = [part.fromMs, part.toMs, knownByMs].map((ms) =>
    new Date(ms).toISOString(),
  );
  return `
    select s.account_id as "accountId", s.corridor, s.features, l.label,
           (s.created_at at time zone 'utc')::date - date '1970-01-01' as day
           ${withCountries ? ', t.country' : ''}
      from market.scores s
      ${unlabelled === 'skip' ? '' : 'left'} join lateral (
        select label from market.labels
         where transaction_id = s.transaction_id and created_at = s.created_at
           and created_at >= '${from}' and created_at < '${to}' and labelled_at <= '${knownBy}'
         order by labelled_at desc, label
         limit 1) l on true
      ${withCountries ? `left join market.transactions t on t.transaction_id = s.transaction_id and t.created_at = s.created_at and t.created_at >= '${from}' and t.created_at < '${to}'` : ''}
     where s.created_at >= '${from}' and s.created_at < '${to}' and s.feature_schema = ${featureSchema}
     order by s.transaction_id, s.created_at`;
}

type Row = Omit<TrainingRow, 'vector'> & { readonly features: Buffer };

function toRow({ features: bytes, ...row }: Row, features: number): TrainingRow {
  const vector = new Float64Array(features);
  copyVector(bytes, vector);
  return { ...row, vector };
}
