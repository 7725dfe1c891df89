/** Refuses transactions of stopped scopes before anything of them is stored. */

import type { CorridorWrites } from '../../kit/breakers/corridor-writes.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { type Control, refusedBy, retryAfterSeconds } from '../domain/control.ts';
import { kindOf } from '../domain/control-kinds.ts';
import { clientScope, corridorScope, type PartyField } from '../domain/scope.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { ControlWatch } from '../store/controls/watch-controls.ts';
import { findKnownKeys } from '../store/idempotency-keys/idempotency-keys.ts';
import { retryAfter } from './limits/limiter.ts';
import type { InputError } from './prepare-transactions.ts';

export const GATE_PROBLEMS = [
  'scope-stopped',
  'frozen',
  'switches-unread',
  'limited',
  'unavailable',
] as const;

/** Why a transaction is refused that is valid by itself. */
export type Closed = {
  readonly problem: (typeof GATE_PROBLEMS)[number];
  /** Null where no field is at fault. */
  readonly field: 'corridor' | PartyField | null;
  /** The noun for what is closed, where the field names something else. */
  readonly noun?: 'market' | 'client';
  /** A predicate of the field, or a clause where there is none. */
  readonly detail: string;
  /** Null: the same request never passes. */
  readonly retryAfterSeconds: number | null;
  /** Headers of the limit that is used up, in place of `Retry-After` alone. */
  readonly headers?: Readonly<Record<string, string>>;
};

type GateParts = {
  readonly gate: Gate;
  readonly metrics: Pick<Metrics, 'refused'>;
  readonly database: Pick<Database, 'query'>;
  readonly writes: Pick<CorridorWrites, 'refusedMs'>;
};

export type Gate = ReturnType<typeof createGate>;

/** @param whenUnread what happens to submissions while the controls cannot be read */
export function createGate(
  controls: Pick<ControlWatch, 'current' | 'isUnread'>,
  whenUnread: 'accept' | 'refuse',
) {
  return {
    /** Undefined where the transaction may pass. */
    closedTo(client: string, corridor: string): Closed | undefined {
      if (whenUnread === 'refuse' && controls.isUnread()) return UNREAD;
      const current = controls.current();
      if (current.inForce.size === 0) return undefined;
      const own = current.inForce.get('stop')?.get(clientScope(client));
      const control = own ?? refusedBy(current, corridor);
      return control && closed(control);
    },
  };
}

const stuck = (corridor: string, refusedMs: number): Closed => ({
  problem: 'unavailable',
  field: 'corridor',
  detail: `${corridor} is at degradation level 3: its transactions could not be committed, and one at a time tries again`,
  retryAfterSeconds: Math.ceil(refusedMs / 1000),
});

const UNREAD: Closed = {
  problem: 'switches-unread',
  field: 'corridor',
  detail: 'cannot be checked, as the controls could not be read for 5 s',
  retryAfterSeconds: 5,
};

function closed(control: Control): Closed {
  const { kind, scope, message } = control;
  const { problem, state } = kindOf(kind).refuses ?? { problem: 'scope-stopped', state: kind };
  return {
    problem,
    field: 'corridor',
    ...nounOf(scope),
    detail: `is ${state} (${scope})${message === null ? '' : `: ${message}`}`,
    retryAfterSeconds: retryAfterSeconds(control, Date.now()),
  };
}

function nounOf(scope: string): Pick<Closed, 'noun'> {
  if (scope.startsWith(clientScope(''))) return { noun: 'client' };
  return scope.startsWith(corridorScope('')) ? {} : { noun: 'market' };
}

/** A request that is refused whole, as one of its transactions is closed. */
export type ClosedRequest = {
  readonly kind: Closed['problem'];
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: readonly InputError[];
  /** The transaction that was stored before its scope was stopped. */
  readonly transactionId?: string;
};

/**
 * The closed ones of a client's inputs, by index; nearly always none. An input whose key is known is none of them: it is a
 * repetition, which stores nothing and is answered as such.
 */
export async function findClosed(
  { gate, metrics, database, writes }: GateParts,
  client: string,
  inputs: readonly Pick<KeyedTransactionInput, 'corridor' | 'idempotency_key'>[],
): Promise<ReadonlyMap<number, Closed>> {
  const found = new Map<number, Closed>();
  for (const [index, { corridor }] of inputs.entries()) {
    const closed = gate.closedTo(client, corridor);
    if (closed !== undefined) found.set(index, closed);
  }
  if (found.size > 0) {
    const indexes = [...found.keys()];
    const keys = indexes.map((index) => inputs[index]?.idempotency_key ?? '');
    for (const { position } of await findKnownKeys(database.query, client, keys)) {
      found.delete(indexes[position] ?? -1);
    }
  }
  for (const [index, { corridor }] of inputs.entries()) {
    const refusedMs = writes.refusedMs(corridor);
    if (refusedMs > 0 && !found.has(index)) found.set(index, stuck(corridor, refusedMs));
  }
  for (const [index, { problem }] of found) {
    metrics.refused.inc({ corridor: inputs[index]?.corridor ?? '', problem });
  }
  return found;
}

const NOUNS = { corridor: 'corridor', account_id: 'account', device_id: 'device', ip: 'address' };

/** @param all at least one */
export function closedRequest(all: ReadonlyMap<number, Closed>): ClosedRequest {
  const [first] = all.values();
  if (first === undefined) throw new Error('nothing is closed');
  const { problem, detail } = first;
  const errors = [...all].flatMap(([index, { field, detail }]) =>
    field === null ? [] : [{ index, field, detail }],
  );
  const called = calledOf(first);
  const subject = called === undefined ? '' : `the ${called} `;
  return {
    kind: problem,
    detail: `This request stored nothing: ${subject}${detail}`,
    headers: headersOf(first),
    errors,
  };
}

const calledOf = ({ noun, field }: Closed) => noun ?? (field === null ? undefined : NOUNS[field]);

const headersOf = ({ retryAfterSeconds, headers }: Closed) => ({
  ...retryAfter(retryAfterSeconds),
  ...headers,
});

/** The answer to a request that waits for a score which its stopped scope does not get. */
export function storedAndClosed(transactionId: string, closed: Closed): ClosedRequest {
  const { problem, detail } = closed;
  const said = `The transaction ${transactionId} is stored and not scored: the ${calledOf(closed)} ${detail}`;
  return { kind: problem, detail: said, headers: headersOf(closed), errors: [], transactionId };
}
