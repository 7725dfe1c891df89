/** `expand=neighbours`: what lies near a transaction in time and shares its account, device, merchant or address. */
import { z } from 'zod';
import { VERDICTS } from '../../../core/domain/score-record.ts';
import type { StoredTransactionJson } from '../../../core/domain/transaction-record.ts';
import { listWalkedMonths } from '../../../core/store/partitions/month-slice.ts';
import { findRows, type PartyColumn } from '../../../core/store/search/search-rows.ts';
import type { Database } from '../../../kit/database/pool.ts';
import {
  type Databases,
  inIndexOrder,
  readFrom,
} from '../../../kit/database/replica/choose-database.ts';
import { isPrimaryAway } from '../../../kit/process/primary-away.ts';
import type { Position } from '../../../kit/words/cursor.ts';
import { keysOf } from '../../../kit/words/keys-of.ts';
import { missingMonths, missingWithin } from '../../../kit/words/page.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import { type FoundTransaction, loadFound } from '../store/found-rows.ts';

/** Most rows of one direction that a question looks at where no index finds those of a client, or of one address of a network. */
export const NEAR_ROWS_EXAMINED_MAX = 2_000;
/** Rows of one relation before the transaction, and as many after it. */
export const ROWS_EACH_WAY_MAX = 10;
export const REACH_DAYS = 30;

/** The column that two related transactions share. */
const COLUMNS = {
  account: 'account_id',
  device: 'device_id',
  merchant: 'merchant_id',
  ip: 'ip',
} as const satisfies Readonly<Record<string, PartyColumn>>;
type Relation = keyof typeof COLUMNS;
const RELATIONS = keysOf(COLUMNS);

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
type Origin = Pick<StoredTransactionJson, 'transaction_id' | 'created_at' | PartyColumn>;

type NearQuestion = {
  /** The transaction itself, which is left out. */
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly party: Partial<Readonly<Record<PartyColumn, string>>>;
  /** Finds only this client's transactions, as if no others existed; null finds all. */
  readonly client: string | null;
  readonly direction: 'before' | 'after';
  /** How far from the transaction the question looks, in time. */
  readonly reachMs: number;
  readonly rowsMax: number;
};

/**
 * Finds transactions of a party near another one in time, the nearest first; `isComplete` is false where more may be within reach. A
 * transaction of the same millisecond counts as before, as nobody knows which came first.
 */
export async function findNear(
  database: Pick<Database, 'query'>,
  { transactionId, createdAtMs, party, client, direction, reachMs, rowsMax }: NearQuestion,
): Promise<{ readonly near: readonly Position[]; readonly isComplete: boolean }> {
  const isDescending = direction === 'before';
  const nextMs = createdAtMs + 1;
  const range = isDescending
    ? { fromMs: createdAtMs - reachMs, toMs: nextMs }
    : { fromMs: nextMs, toMs: nextMs + reachMs };
  // The transaction itself is found, too, and a row beyond the bound says that there are more.
  const rows = rowsMax + 2;
  const isIndexed = client === null && party.ip === undefined;
  const lookedAtMax = isIndexed ? rows : NEAR_ROWS_EXAMINED_MAX;
  const filter = { ...party, client: client ?? undefined, reason_match: 'any' } as const;
  const { found, last } = await findRows(database, {
    ...{ filter, list: 'time', isDescending, range, after: null, lookedAtMax, rows },
  });
  const others = found.filter(({ id }) => id !== transactionId);
  const isComplete = others.length <= rowsMax && (last?.looked ?? 0) < lookedAtMax;
  return { near: others.slice(0, rowsMax), isComplete };
}

/** @param client finds only this client's transactions; null finds all */
export async function readNeighbours(
  databases: Databases,
  transaction: Origin,
  client: string | null,
): Promise<NeighboursJson> {
  const { transaction_id: transactionId } = transaction;
  const createdAtMs = Date.parse(transaction.created_at);
  const reachMs = REACH_DAYS * DAY_MS;
  const [from, to] = [createdAtMs - reachMs, createdAtMs + reachMs];
  const walked = await listWalkedMonths(databases.primary, 'transactions');
  const missing = missingWithin(walked, { from, to });
  const nearOf = async (database: Pick<Database, 'query'>, relation: Relation) => {
    const column = COLUMNS[relation];
    const value = transaction[column];
    if (value === null) return null;
    const question = { transactionId, createdAtMs, party: { [column]: value }, client, reachMs };
    const ofEach = { ...question, rowsMax: ROWS_EACH_WAY_MAX };
    const before = await findNear(database, { ...ofEach, direction: 'before' });
    const after = await findNear(database, { ...ofEach, direction: 'after' });
    const newestFirst = [...after.near.toReversed(), ...before.near];
    return { newestFirst, isComplete: before.isComplete && after.isComplete };
  };
  type Near = Awaited<ReturnType<typeof nearOf>>;
  return await readFrom(inIndexOrder(databases), to, async (database) => {
    // Relations are read in turn, so that a question takes one connection.
    const account = await nearOf(database, 'account');
    const merchant = await nearOf(database, 'merchant');
    const device = await nearOf(database, 'device');
    const ip = await nearOf(database, 'ip');
    const all = [account, merchant, device, ip].flatMap((near) => near?.newestFirst ?? []);
    const rows = await loadFound(database, all);
    const toJson = ({ newestFirst, isComplete }: NonNullable<Near>): RelatedJson => ({
      complete: isComplete && missing.detached_months === undefined && !isPrimaryAway(),
      items: newestFirst.flatMap(({ id }) => {
        const row = rows.get(id);
        return row === undefined ? [] : toNeighbourJson(row, transaction);
      }),
    });
    if (account === null || merchant === null) throw new Error('each transaction has both');
    return {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      account: toJson(account),
      merchant: toJson(merchant),
      device: device && toJson(device),
      ip: ip && toJson(ip),
      ...missing,
    };
  });
}

function toNeighbourJson(near: FoundTransaction, to: Origin): NeighbourJson {
  const { transaction_id, created_at, account_id, merchant_id, amount, currency } = near;
  return {
    ...{ transaction_id, created_at: created_at.toISOString(), account_id, merchant_id },
    ...{ amount, currency, score: near.score, verdict: near.score === null ? null : near.verdict },
    relations: RELATIONS.filter((relation) => {
      const value = near[COLUMNS[relation]];
      return value !== null && value === to[COLUMNS[relation]];
    }),
  };
}
