/**
 * Inputs that pass the gate are of no stopped scope and within the limits, which are taken before the claim. In a market that
 * declares personal fields a new value gets a token in memory, by which limits count it, and its subject once it is admitted: a
 * refused request leaves nothing of its values.
 */

import { monthOf, type NewMonths } from '../../kit/words/month.ts';
import { throttleScope } from '../domain/control.ts';
import { corridorScope, type PartyField } from '../domain/corridor.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { Tokenised } from '../personal.ts';
import { findKnownKeys } from '../store/idempotency-keys/key-slices.ts';
import { findHolders, type NewTransaction } from '../store/transactions/transactions.ts';
import { findRepeated } from './find-repeated.ts';
import { type Closed, findClosed } from './gate.ts';
import type { Ingest } from './ingest.ts';
import { conflictsOf } from './key-conflict.ts';
import {
  type Exceeded,
  type Limiter,
  type Need,
  type Submitter,
  scopesOf,
} from './limits/limiter.ts';
import type { Prepared } from './prepare-transactions.ts';

type Admitted = Pick<KeyedTransactionInput, 'corridor' | 'idempotency_key' | PartyField>;

type Admission = {
  readonly by: Submitter;
  readonly inputs: readonly Admitted[];
  /** Whether one input is refused alone; otherwise nothing is taken where one is. */
  readonly isEach: boolean;
  /** Corridors of which the HTTP request has been counted; lines are one request for all their chunks. */
  readonly counted?: Set<string>;
};

type AdmitParts = Pick<Ingest, 'database' | 'gate' | 'metrics' | 'limiter' | 'writes'>;

/** @returns the inputs that do not pass, by index; nearly always none */
export async function admit(
  ingest: AdmitParts,
  { by, inputs, isEach, counted = new Set() }: Admission,
): Promise<ReadonlyMap<number, Closed>> {
  const stopped = await findClosed(ingest, by.client, inputs);
  const { limiter } = ingest;
  const isLimited = limiter.limits('transactions') || limiter.limits('requests');
  if (!isLimited || (stopped.size > 0 && !isEach)) return stopped;
  const open = [...inputs.entries()].filter(([index]) => !stopped.has(index));
  const over = await takeLimits(limiter, { by, open, isEach, counted });
  for (const [index, { problem }] of over) {
    ingest.metrics.refused.inc({ corridor: inputs[index]?.corridor ?? '', problem });
  }
  return new Map([...stopped, ...over]);
}

type Open = {
  readonly by: Submitter;
  readonly open: readonly (readonly [index: number, input: Admitted])[];
  readonly isEach: boolean;
  readonly counted: Set<string>;
};

async function takeLimits(limiter: Limiter, asked: Open): Promise<Map<number, Closed>> {
  const { by, open, isEach, counted } = asked;
  const corridorsOf = open.map(([, { corridor }]) => corridor);
  // All at once costs a tenth of a microsecond each, one after another two.
  const needs = needsOfAll(by, corridorsOf, counted);
  const exceeded = await limiter.take(needs);
  const over = new Map<number, Closed>();
  if (exceeded !== undefined && !isEach) {
    const isOver = (corridor: string) =>
      [...ownScopes(corridor), ...scopesOf(by)].includes(exceeded.scope);
    for (const [index, { corridor }] of open) {
      if (isOver(corridor)) over.set(index, limitedBy(corridor, exceeded));
    }
    return over;
  }
  const before = new Set(counted);
  if (exceeded === undefined) for (const corridor of corridorsOf) counted.add(corridor);
  else await takeOneByOne(limiter, asked, over);
  const passed = open.filter(([index]) => !over.has(index));
  const parties = await limiter.takeParties(
    passed.map(([, input]) => input),
    isEach,
  );
  for (const [at, party] of parties) over.set(passed[at]?.[0] ?? -1, limited(party.field, party));
  if (parties.size === 0) return over;
  // A refused transaction takes nothing from the wider limits.
  const refused = isEach ? [...parties.keys()].map((at) => passed[at]?.[1].corridor ?? '') : [];
  limiter.giveBack(isEach ? needsOfAll(by, refused, counted) : needsOfAll(by, corridorsOf, before));
  return over;
}

async function takeOneByOne(
  limiter: Limiter,
  { by, open, counted }: Open,
  over: Map<number, Closed>,
): Promise<void> {
  let left = open.length;
  for (const [index, { corridor }] of open) {
    const want = left;
    const needs = needsOfAll(by, [corridor], counted).map((need) =>
      need.kind === 'transactions' ? { ...need, want } : need,
    );
    const exceeded = await limiter.take(needs);
    left -= 1;
    if (exceeded === undefined) counted.add(corridor);
    else over.set(index, limitedBy(corridor, exceeded));
  }
}

function needsOfAll(
  by: Submitter,
  inputs: readonly string[],
  counted: ReadonlySet<string>,
): Need[] {
  const corridors = new Map<string, number>();
  for (const corridor of inputs) corridors.set(corridor, (corridors.get(corridor) ?? 0) + 1);
  return [
    ...[...corridors].flatMap(([corridor, n]) => [
      ...requestOf(corridor, counted),
      ...ownScopes(corridor).map((scope) => ({ kind: 'transactions' as const, scope, n })),
    ]),
    ...scopesOf(by).map((scope) => ({ kind: 'transactions' as const, scope, n: inputs.length })),
  ];
}

const ownScopes = (corridor: string) => [throttleScope(corridor), corridorScope(corridor)];

function requestOf(corridor: string, counted: ReadonlySet<string>): Need[] {
  if (counted.has(corridor)) return [];
  return [{ kind: 'requests', scope: corridorScope(corridor), n: 1 }];
}

/** A limit of the key, the client or the market is no fault of a field. */
function limitedBy(corridor: string, exceeded: Exceeded): Closed {
  return limited(ownScopes(corridor).includes(exceeded.scope) ? 'corridor' : null, exceeded);
}

function limited(field: Closed['field'], { detail, retryAfterSeconds, headers }: Exceeded): Closed {
  return {
    problem: 'limited',
    field,
    detail: field === null ? detail : `has no quota: ${detail}`,
    retryAfterSeconds,
    headers,
  };
}

/** The inputs with tokens; tokens of new values are not stored yet. */
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
type Tokens = {
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
  { client, tokenised: { inputs, fresh: isNew, store } }: Tokens,
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
  { client, tokenised: { inputs, fresh, store } }: Tokens,
  prepared: Prepared,
): Promise<readonly KeyedTransactionInput[]> {
  const { rows, rowOf } = prepared;
  if (fresh.size === 0) return inputs;
  const times = rows.map(({ createdAtMs }) => createdAtMs);
  const { detached, tooMany } = await partitions.ensure(times, { left: newMonthsMax });
  if (detached.size + tooMany.size > 0) return inputs;
  const holders = await findHolders(database, client, rows);
  const isKnown = (index: number) => holders.has(rowOf[index] as NewTransaction);
  // Only where an input is known may the same request at another process have stored its values: these are then looked up.
  const mayBeTwins = [...fresh].some(isKnown);
  if (mayBeTwins) await store(new Set());
  const conflicts = conflictsOf(prepared, (row) => holders.get(row));
  const repetitions = await findRepeated({ database, tokens }, conflicts);
  if (repetitions.size < conflicts.length) return inputs;
  return await store(new Set([...fresh].filter((index) => !isKnown(index))));
}
