/** Inputs that pass the gate are of no stopped scope and within the limits, which are taken before the claim. */
import { throttleScope } from '../domain/control.ts';
import { corridorScope, type PartyField } from '../domain/scope.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import { type Closed, findClosed } from './gate.ts';
import type { Ingest } from './ingest.ts';
import {
  type Exceeded,
  type Limiter,
  type Need,
  type Submitter,
  scopesOf,
} from './limits/limiter.ts';

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
