/**
 * Tokens of a request in a market that declares personal fields. A new value gets a token in memory, by which limits count it, and
 * its subject once the request is admitted: a refused request leaves nothing of its values.
 */
import { monthOf, type NewMonths } from '../../kit/words/month.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { Tokenised } from '../personal.ts';
import { findKnownKeys } from '../store/idempotency-keys/idempotency-keys.ts';
import { findHolders, type NewTransaction } from '../store/transactions/transactions.ts';
import { findRepeated } from './find-repeated.ts';
import type { Ingest } from './ingest.ts';
import { conflictsOf } from './key-conflict.ts';
import type { Prepared } from './prepare-transactions.ts';

/** The inputs with tokens, of which those of new values are not kept yet. */
export async function tokenised(
  { tokens }: Pick<Ingest, 'tokens'>,
  inputs: readonly KeyedTransactionInput[],
): Promise<Tokenised> {
  const made = tokens();
  return made === null
    ? { inputs, fresh: new Set(), store: async () => inputs }
    : await made.tokenise(inputs);
}

type Parts = Pick<Ingest, 'database' | 'partitions' | 'newMonthsMax' | 'tokens'>;
type Admitted = {
  readonly client: string;
  readonly tokenised: Tokenised;
};

/**
 * Keeps the new values of admitted inputs that are judged alone, but none of an input whose key is known or another input's, or
 * whose month takes no rows, as nothing of these is stored.
 * @param open indexes of inputs that are admitted
 * @returns all inputs, as they are stored
 */
export async function keptEach(
  { database, partitions, newMonthsMax }: Parts,
  { client, tokenised: { inputs, fresh: isNew, store } }: Admitted,
  open: Iterable<number>,
  newMonths: NewMonths = { left: newMonthsMax },
): Promise<readonly KeyedTransactionInput[]> {
  const keys = new Set<string>();
  const wanted = [...open].flatMap((index) => {
    const input = inputs[index];
    if (input === undefined) return [];
    const isRepeat = keys.has(input.idempotency_key);
    keys.add(input.idempotency_key);
    return !isRepeat && isNew.has(index) ? { index, input } : [];
  });
  if (wanted.length === 0) return inputs;
  const times = wanted.map(({ input: { created_at: at } }) =>
    at === undefined ? Date.now() : Date.parse(at),
  );
  const { detached, tooMany } = await partitions.ensure(times, newMonths);
  const fit = wanted.filter((_, at) => {
    const month = monthOf(times[at] ?? 0);
    return !detached.has(month) && !tooMany.has(month);
  });
  if (fit.length === 0) return inputs;
  const asked = fit.map(({ input }) => input.idempotency_key);
  const fresh = new Set(fit.map(({ index }) => index));
  for (const { position } of await findKnownKeys(database.query, client, asked)) {
    fresh.delete(fit[position]?.index ?? -1);
  }
  return await store(fresh);
}

/**
 * Keeps the new values of a batch, but none where the batch will be refused whole: for a month that takes no rows, or for a key
 * of another body.
 */
export async function keptWhole(
  { database, partitions, newMonthsMax, tokens }: Parts,
  { client, tokenised: { inputs, fresh, store } }: Admitted,
  prepared: Prepared,
): Promise<readonly KeyedTransactionInput[]> {
  const { rows, rowOf } = prepared;
  if (fresh.size === 0) return inputs;
  const times = rows.map(({ createdAtMs }) => createdAtMs);
  const { detached, tooMany } = await partitions.ensure(times, { left: newMonthsMax });
  if (detached.size + tooMany.size > 0) return inputs;
  const holders = await findHolders(database, client, rows);
  const isKnown = (index: number) => holders.has(rowOf[index] as NewTransaction);
  // Only known inputs make it necessary to ask for values that the same request at another process has made.
  const mayBeTwins = [...fresh].some(isKnown);
  if (mayBeTwins) await store(new Set());
  const conflicts = conflictsOf(prepared, (row) => holders.get(row));
  const repetitions = await findRepeated({ database, tokens }, conflicts);
  if (repetitions.size < conflicts.length) return inputs;
  return await store(new Set([...fresh].filter((index) => !isKnown(index))));
}
