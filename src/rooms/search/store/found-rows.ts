/** Transactions that a search found, by their ids: each with its score, if any, and the label that decides. */
import type { LabelValue } from '../../../core/domain/label.ts';
import type { TransactionRow } from '../../../core/domain/transaction-record.ts';
import { labelInForce } from '../../../core/store/label-in-force.ts';
import type { ScoreRow } from '../../../core/store/scores/stored-scores.ts';
import type { RowPosition } from '../../../core/store/search/search-rows.ts';
import { timeValues } from '../../../core/store/within-months.ts';
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';

export type FoundTransaction = TransactionRow &
  (ScoreRow | { readonly score: null }) & {
    /** The label that decides; null: none. */
    readonly label: LabelValue | null;
  };

const IN_PARTITION = `transaction_id = u.transaction_id and created_at = u.created_at
              and created_at >= $3 and created_at <= $4`;

/** Parts of a row that take a join, or many bytes, and are read only where somebody asks for them. */
const FOUND_PARTS = ['score', 'reasons', 'metadata', 'label'] as const;
export type FoundPart = (typeof FOUND_PARTS)[number];

const OF_SCORE = `s.scored_at, s.score, s.risk, s.probability, s.verdict, s.rule_set, s.model, s.attempts, s.degradation,
                case when s.score is not null then 'scored'
                     when exists (select from market.dead_letters d where d.transaction_id = u.transaction_id
                                   and d.replayed_at is null) then 'dead_lettered'
                     else 'accepted' end as status`;

/** Lateral and limited, so that each row asks one partition by its primary key. */
function statementOf(parts: ReadonlySet<FoundPart>) {
  const column = (part: FoundPart, is: string, without = 'null') =>
    `${parts.has(part) ? is : without} as ${part}`;
  const ofScore = parts.has('score');
  return {
    name: ['load-found', ...FOUND_PARTS.filter((part) => parts.has(part))].join('-'),
    text: `select t.transaction_id, t.created_at, t.received_at, t.account_id, t.merchant_id, t.corridor, t.amount, t.currency,
                t.type, t.ip, t.device_id, t.country, t.channel, t.client, ${column('metadata', 't.metadata')},
                ${ofScore ? OF_SCORE : 'null as score, null as status'},
                ${column('reasons', 's.reasons', "'[]'::jsonb")}, ${column('label', 'l.label')}
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (select * from market.transactions where ${IN_PARTITION} limit 1) t
           ${ofScore ? `left join lateral (select * from market.scores where ${IN_PARTITION} limit 1) s on true` : ''}
           ${parts.has('label') ? `left join lateral ${labelInForce(IN_PARTITION)} l on true` : ''}`,
  };
}

/**
 * By id; a row that is not there is left out.
 * @param parts to read, `reasons` only with `score`; any other part of a row is null or empty, and so is its status without `score`
 */
export async function loadFound(
  { query }: Pick<Database, 'query'>,
  positions: readonly RowPosition[],
  parts: ReadonlySet<FoundPart>,
): Promise<ReadonlyMap<string, FoundTransaction>> {
  if (positions.length === 0) return new Map();
  const times = positions.map(({ atMs }) => atMs);
  const rows = await query<FoundTransaction>(statementOf(parts), [
    uuidArray(positions.map(({ id }) => id)),
    ...timeValues(times),
  ]);
  return new Map(rows.map((row) => [row.transaction_id, row]));
}
