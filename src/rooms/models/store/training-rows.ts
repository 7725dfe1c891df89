/**
 * Logged vectors with the labels of their transactions, which models are trained on. One snapshot, month by
 * month in time order, a page at a time from a cursor: constant memory, and the same rows however long the
 * reading takes.
 */
import { FEATURE_COUNT_MIN } from '../../../core/domain/feature-schema.ts';
import { clipTo, listMonths } from '../../../core/store/partitions/month-slice.ts';
import { toVector } from '../../../core/store/scores/score-values.ts';
import type { ScoreWindow } from '../../../core/store/scores/score-window.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { inSnapshot, readPages } from '../../../kit/database/snapshot.ts';
import type { TrainingRow } from '../training/rows.ts';

/** 1.5 MB on the wire, nearly all of it vectors. */
const PAGE_ROWS = 2000;

type TrainingSelection = {
  /** Labels with a later `labelled_at` are not seen. */
  readonly knownByMs: number;
  /** How rows without a label are treated. */
  readonly unlabelled: 'skip' | 'legitimate';
  readonly signal: AbortSignal;
};

export type TrainingReader = {
  /** Scores, labelled or not. */
  count(window: ScoreWindow): Promise<number>;
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
  const months = await listMonths(database, 'scores');
  const partsOf = ({ fromMs, toMs }: ScoreWindow) => clipTo(months, fromMs, toMs).reverse();
  return await inSnapshot(database, (client) =>
    work({
      count: (window) => countRows(client, partsOf(window), selection.signal),
      read: async (window, withCountries, onPage) => {
        for (const part of partsOf(window)) {
          const select = selectRows(part, selection, withCountries);
          for await (const rows of readPages<Row>(client, select, PAGE_ROWS, selection.signal)) {
            onPage(rows.map(toRow));
          }
        }
      },
    }),
  );
}

const countScores: Statement = {
  text: 'select count(*)::int as rows from market.scores where created_at >= $1 and created_at < $2',
};

async function countRows(query: Query, parts: readonly ScoreWindow[], signal: AbortSignal) {
  let rows = 0;
  for (const { fromMs, toMs } of parts) {
    signal.throwIfAborted();
    const [counts] = await query<{ rows: number }>(countScores, [new Date(fromMs), new Date(toMs)]);
    rows += counts?.rows ?? 0;
  }
  return rows;
}

/**
 * The newest label decides, and of two at the same time fraud, whatever its source (labels.label sorts so).
 * Lateral, so that each row asks one partition by its primary key.
 */
function selectRows(
  part: ScoreWindow,
  { knownByMs, unlabelled }: TrainingSelection,
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
     where s.created_at >= '${from}' and s.created_at < '${to}'
     order by s.transaction_id, s.created_at`;
}

type Row = Omit<TrainingRow, 'vector'> & { readonly features: Buffer };

function toRow({ features, ...row }: Row): TrainingRow {
  const [count = 0] = features;
  if (count < FEATURE_COUNT_MIN) {
    throw new Error(`a vector of ${count} numbers where at least ${FEATURE_COUNT_MIN} are needed`);
  }
  return { ...row, vector: toVector(features) };
}
