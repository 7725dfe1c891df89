/** `expand=neighbours`: what lies near a transaction in time and shares its account, device, merchant or address. */
import { z } from 'zod';
import { VERDICTS } from '../../../core/domain/score-record.ts';
import type { StoredTransactionJson } from '../../../core/domain/transaction-record.ts';
import { listWalkedMonths } from '../../../core/store/partitions/month-slice.ts';
import { type Databases, readFrom } from '../../../kit/database/replica/choose-database.ts';
import { missingMonths, missingWithin } from '../../../kit/words/page.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { type NearTransaction, readNear, type SharedColumn } from '../store/neighbours.ts';

/** Rows of one relation before the transaction, and as many after it. */
export const ROWS_EACH_WAY_MAX = 10;
export const REACH_DAYS = 30;

/** The column that two related transactions share. */
const COLUMNS = {
  account: 'account_id',
  device: 'device_id',
  merchant: 'merchant_id',
  ip: 'ip',
} as const satisfies Readonly<Record<string, SharedColumn>>;
type Relation = keyof typeof COLUMNS;
const RELATIONS = Object.keys(COLUMNS) as Relation[];

const neighbourSchema = z
  .object({
    transaction_id: z.uuid(),
    created_at: z.iso.datetime(),
    account_id: z.string(),
    merchant_id: z.string(),
    amount: z.string(),
    currency: z.string(),
    score: z.int().nullable().meta({ description: 'Null where it is not scored.' }),
    verdict: z.enum(VERDICTS).nullable(),
    relations: z
      .array(z.enum(RELATIONS))
      .meta({ description: 'All that both transactions have in common.' }),
  })
  .meta({ id: 'Neighbour' });
type NeighbourJson = z.infer<typeof neighbourSchema>;

const relatedSchema = z
  .object({
    complete: z.boolean().meta({
      description: 'False where there are, or may be, more between `from` and `to`.',
    }),
    items: z.array(neighbourSchema).meta({
      description: `Newest first: up to ${ROWS_EACH_WAY_MAX} before the transaction and ${ROWS_EACH_WAY_MAX} after it, the nearest ones.`,
    }),
  })
  .meta({ id: 'RelatedTransactions' });
type RelatedJson = z.infer<typeof relatedSchema>;

export const neighboursSchema = z
  .object({
    from: z.iso.datetime().meta({ description: `${REACH_DAYS} days before the transaction.` }),
    to: z.iso.datetime().meta({ description: `${REACH_DAYS} days after it.` }),
    account: relatedSchema,
    device: relatedSchema
      .nullable()
      .meta({ description: 'Null where the transaction names none.' }),
    merchant: relatedSchema,
    ip: relatedSchema.nullable().meta({ description: 'Null where the transaction names none.' }),
    ...missingMonths,
  })
  .meta({ id: 'Neighbours' });
type NeighboursJson = z.infer<typeof neighboursSchema>;

/** The transaction whose neighbours are asked for. */
type Origin = Pick<StoredTransactionJson, 'transaction_id' | 'created_at' | SharedColumn>;

/** @param client finds only this client's transactions; null finds all */
export async function readNeighbours(
  databases: Databases,
  transaction: Origin,
  client: string | null,
): Promise<NeighboursJson> {
  const createdAtMs = Date.parse(transaction.created_at);
  const reachMs = REACH_DAYS * DAY_MS;
  const [from, to] = [createdAtMs - reachMs, createdAtMs + reachMs];
  const walked = await listWalkedMonths(databases.primary, 'transactions');
  const missing = missingWithin(walked, { from, to });
  const related = async (relation: Relation): Promise<RelatedJson | null> => {
    const column = COLUMNS[relation];
    const value = transaction[column];
    if (value === null) return null;
    const question = {
      transactionId: transaction.transaction_id,
      createdAtMs,
      column,
      value,
      client,
      reachMs,
      rowsMax: ROWS_EACH_WAY_MAX,
    };
    const [before, after] = await readFrom(
      databases,
      to,
      async (database) =>
        [
          await readNear(database, { ...question, direction: 'before' }),
          await readNear(database, { ...question, direction: 'after' }),
        ] as const,
    );
    const isComplete = before.isComplete && after.isComplete;
    const newestFirst = [...after.rows.toReversed(), ...before.rows];
    return {
      complete: isComplete && missing.detached_months === undefined,
      items: newestFirst.map((near) => toNeighbourJson(near, transaction)),
    };
  };
  // Relations are read in turn, so that a question takes one connection.
  const account = await related('account');
  const merchant = await related('merchant');
  if (account === null || merchant === null) throw new Error('each transaction has both');
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    account,
    merchant,
    device: await related('device'),
    ip: await related('ip'),
    ...missing,
  };
}

function toNeighbourJson(near: NearTransaction, to: Origin): NeighbourJson {
  const { device_id: _device, ip: _ip, created_at, ...neighbour } = near;
  return {
    ...neighbour,
    created_at: created_at.toISOString(),
    relations: RELATIONS.filter((relation) => {
      const value = near[COLUMNS[relation]];
      return value !== null && value === to[COLUMNS[relation]];
    }),
  };
}
