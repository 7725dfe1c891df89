/** Inputs that pass the gate are of no stopped scope and within the limits, which are taken before the claim. */
import { corridorScope } from '../domain/switch.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import { type Closed, findClosed } from './gate.ts';
import type { Ingest } from './ingest.ts';
import { type Exceeded, type Need, type Submitter, scopesOf } from './limits/limiter.ts';

type Admission = {
  readonly by: Submitter;
  readonly inputs: readonly Pick<KeyedTransactionInput, 'corridor' | 'idempotency_key'>[];
  /** Whether one input is refused alone; otherwise nothing is taken where one is. */
  readonly isEach: boolean;
  /** Corridors of which the HTTP request has been counted; lines are one request for all their chunks. */
  readonly counted?: Set<string>;
};

/** @returns the inputs that do not pass, by index; nearly always none */
export async function admit(
  ingest: Pick<Ingest, 'database' | 'gate' | 'metrics' | 'limiter'>,
  { by, inputs, isEach, counted = new Set() }: Admission,
): Promise<ReadonlyMap<number, Closed>> {
  const stopped = await findClosed(ingest, by.client, inputs);
  const { limiter, metrics } = ingest;
  const isLimited = limiter.limits('transactions') || limiter.limits('requests');
  if (!isLimited || (stopped.size > 0 && !isEach)) return stopped;
  const open = [...inputs.entries()].filter(([index]) => !stopped.has(index));
  const corridorsOf = open.map(([, { corridor }]) => corridor);
  // All at once costs a tenth of a microsecond each, one after another two.
  const exceeded = await limiter.take(needsOfAll(by, corridorsOf, counted));
  if (exceeded === undefined) {
    for (const corridor of corridorsOf) counted.add(corridor);
    return stopped;
  }
  const closed = new Map(stopped);
  const refuse = (index: number, corridor: string, by: Exceeded) => {
    closed.set(index, limited(by));
    metrics.refused.inc({ corridor, problem: 'limited' });
  };
  if (!isEach) {
    const isOver = (corridor: string) =>
      [corridorScope(corridor), ...scopesOf(by)].includes(exceeded.scope);
    for (const [index, { corridor }] of open) {
      if (isOver(corridor)) refuse(index, corridor, exceeded);
    }
    return closed;
  }
  let left = open.length;
  for (const [index, { corridor }] of open) {
    const over = await limiter.take(needsOfOne(by, corridor, left, counted));
    left -= 1;
    if (over === undefined) counted.add(corridor);
    else refuse(index, corridor, over);
  }
  return closed;
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
      { kind: 'transactions' as const, scope: corridorScope(corridor), n },
    ]),
    ...scopesOf(by).map((scope) => ({ kind: 'transactions' as const, scope, n: inputs.length })),
  ];
}

function needsOfOne(
  by: Submitter,
  corridor: string,
  want: number,
  counted: ReadonlySet<string>,
): Need[] {
  return [
    ...requestOf(corridor, counted),
    ...[corridorScope(corridor), ...scopesOf(by)].map((scope) => ({
      kind: 'transactions' as const,
      scope,
      n: 1,
      want,
    })),
  ];
}

function requestOf(corridor: string, counted: ReadonlySet<string>): Need[] {
  if (counted.has(corridor)) return [];
  return [{ kind: 'requests', scope: corridorScope(corridor), n: 1 }];
}

function limited({ detail, retryAfterSeconds, headers }: Exceeded): Closed {
  return {
    problem: 'limited',
    field: 'corridor',
    detail: `has no quota: ${detail}`,
    retryAfterSeconds,
    headers,
  };
}
