/** `expand=neighbours`: what lies near a transaction in time and shares its account, device, merchant or address. */
import { z } from 'zod';
import { VERDICTS } from '../../../core/domain/score-record.ts';
import { listWalkedMonths } from '../../../core/store/partitions/month-slice.ts';
import { type Databases, readFrom } from '../../../kit/database/replica/choose-database.ts';
import { detachedMonthsField, detachedWithin } from '../../../kit/words/page.ts';
import { DAY_MS } from '../../../kit/words/utc-bucket.ts';
import {
  type NearQuestion,
  type NearTransaction,
  readNear,
  type SharedColumn,
} from '../store/neighbours.ts';

/** Rows of one relation on each side of the transaction. */
export const SIDE_ROWS_MAX = 10;
export const REACH_DAYS = 30;

const RELATIONS = ['account', 'device', 'merchant', 'ip'] as const;
type Relation = (typeof RELATIONS)[number];

const COLUMNS: Readonly<Record<Relation, SharedColumn>> = {
  account: 'account_id',
  device: 'device_id',
  merchant: 'merchant_id',
  ip: 'ip',
};

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
      description: `Newest first: up to ${SIDE_ROWS_MAX} before the transaction and ${SIDE_ROWS_MAX} after it, the nearest ones.`,
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
    detached_months: detachedMonthsField,
  })
  .meta({ id: 'Neighbours' });
type NeighboursJson = z.infer<typeof neighboursSchema>;

/** The transaction whose neighbours are asked for. */
type Origin = {
  readonly transaction_id: string;
  readonly created_at: string;
  readonly account_id: string;
  readonly merchant_id: string;
  readonly device_id: string | null;
  readonly ip: string | null;
};

/** @param client finds only this client's transactions; null finds all */
export async function readNeighbours(
  databases: Databases,
  transaction: Origin,
  client: string | null,
): Promise<NeighboursJson> {
  const createdAtMs = Date.parse(transaction.created_at);
  const reachMs = REACH_DAYS * DAY_MS;
  const [from, to] = [createdAtMs - reachMs, createdAtMs + reachMs];
  const { detached } = await listWalkedMonths(databases.primary, 'transactions');
  const missing = detachedWithin(detached, { from, to });
  const related = async (relation: Relation, value: string): Promise<RelatedJson> => {
    const column = COLUMNS[relation];
    const question = {
      ...{ transactionId: transaction.transaction_id, createdAtMs, column, value, client, reachMs },
      rowsMax: SIDE_ROWS_MAX,
    };
    const { rows, isComplete } = await readFrom(databases, to, async (database) =>
      readBothSides(database, question),
    );
    return {
      complete: isComplete && missing.length === 0,
      items: rows.map((near) => toNeighbourJson(near, transaction)),
    };
  };
  // One after another, so that a question holds one connection.
  const account = await related('account', transaction.account_id);
  const merchant = await related('merchant', transaction.merchant_id);
  const { device_id: device, ip } = transaction;
  return {
    ...{ from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    ...{ account, merchant },
    device: device === null ? null : await related('device', device),
    ip: ip === null ? null : await related('ip', ip),
    ...(missing.length > 0 ? { detached_months: missing } : {}),
  };
}

/** Newest first. */
async function readBothSides(
  database: Parameters<typeof readNear>[0],
  question: Omit<NearQuestion, 'side'>,
): Promise<{ readonly rows: NearTransaction[]; readonly isComplete: boolean }> {
  const before = await readNear(database, { ...question, side: 'before' });
  const after = await readNear(database, { ...question, side: 'after' });
  return {
    rows: [...after.rows.toReversed(), ...before.rows],
    isComplete: before.isComplete && after.isComplete,
  };
}

function toNeighbourJson(near: NearTransaction, to: Origin): NeighbourJson {
  const shared: Readonly<Record<Relation, boolean>> = {
    account: near.accountId === to.account_id,
    device: near.deviceId !== null && near.deviceId === to.device_id,
    merchant: near.merchantId === to.merchant_id,
    ip: near.ip !== null && near.ip === to.ip,
  };
  return {
    transaction_id: near.transactionId,
    created_at: near.createdAt.toISOString(),
    account_id: near.accountId,
    merchant_id: near.merchantId,
    amount: near.amount,
    currency: near.currency,
    score: near.score,
    verdict: near.verdict,
    relations: RELATIONS.filter((relation) => shared[relation]),
  };
}
