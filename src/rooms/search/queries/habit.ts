/**
 * `GET /v1/scores/{id}/habit`: what was usual for the account when a transaction was scored, from the vectors that were logged
 * with the scores of its transactions before.
 */
import { z } from 'zod';
import { FEATURE_LIST } from '../../../core/domain/feature-schema.ts';
import { ACCOUNT_HISTORY_DAYS } from '../../../core/domain/history.ts';
import { createdAtMsOf } from '../../../core/domain/transaction.ts';
import { readScoreRecord, readVectors } from '../../../core/store/scores/read-scores.ts';
import {
  type Databases,
  inIndexOrder,
  isFound,
  readFrom,
} from '../../../kit/database/replica/choose-database.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { findNear } from './neighbours.ts';

/** Transactions before this one that are looked at, the nearest. */
const HABIT_TRANSACTIONS_MAX = 50;

const figure = z.number().nullable().meta({ description: 'Null where none knows the feature.' });

export const habitSchema = z
  .object({
    transaction_id: z.uuid(),
    transactions: z.int().meta({
      description: `Scored transactions of the account before this one that count: of its ${HABIT_TRANSACTIONS_MAX} nearest of ${ACCOUNT_HISTORY_DAYS} days.`,
    }),
    from: z.iso.datetime().nullable().meta({ description: '`created_at` of the oldest of them.' }),
    features: z.array(
      z.object({
        name: z.string(),
        known: z.int().meta({ description: 'How many of them know the feature.' }),
        median: figure,
        min: figure,
        max: figure,
      }),
    ),
  })
  .meta({ id: 'Habit' });
type HabitJson = z.infer<typeof habitSchema>;

/**
 * Undefined where there is no score.
 * @throws Failure where this version lacks the features of the score
 */
export async function readHabit(
  databases: Databases,
  transactionId: string,
): Promise<HabitJson | undefined> {
  const createdAtMs = createdAtMsOf(transactionId);
  if (createdAtMs === undefined) return undefined;
  return await readFrom(
    inIndexOrder(databases),
    createdAtMs,
    async (database) => {
      const record = await readScoreRecord(database, transactionId, createdAtMs);
      if (record === undefined) return undefined;
      const { near } = await findNear(database, {
        transactionId,
        createdAtMs,
        party: { account_id: record.accountId },
        client: null,
        direction: 'before',
        reachMs: ACCOUNT_HISTORY_DAYS * DAY_MS,
        rowsMax: HABIT_TRANSACTIONS_MAX,
      });
      const scored = await readVectors(database, near);
      const vectors = scored.map(({ vector }) => vector);
      return {
        transaction_id: transactionId,
        transactions: vectors.length,
        from: scored[0]?.created_at.toISOString() ?? null,
        features: FEATURE_LIST.map(({ name }, at) => ({ name, ...figuresOf(vectors, at) })),
      };
    },
    isFound,
  );
}

function figuresOf(vectors: readonly Float64Array[], at: number) {
  const values = vectors
    .flatMap((vector) => vector[at] ?? [])
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const [min = null, max = null] = [values[0], values.at(-1)];
  const middle = (values.length - 1) / 2;
  const [low, high] = [values[Math.floor(middle)], values[Math.ceil(middle)]];
  const median = low === undefined || high === undefined ? null : (low + high) / 2;
  return { known: values.length, median, min, max };
}
