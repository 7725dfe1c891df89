/**
 * Refuses what people or months let through no further, before anything is stored: transactions of stopped scopes, changes of a
 * market that is read-only, and rows of months that take none.
 */
import type { MiddlewareHandler } from 'hono';
import type { CorridorWrites } from '../../kit/breakers/corridor-writes.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { type AppEnv, mayWrite } from '../../kit/http/app-env.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { Failure } from '../../kit/words/failure.ts';
import {
  type Month,
  monthOf,
  monthsAre,
  monthText,
  type RefusedMonths,
} from '../../kit/words/month.ts';
import { type Control, controlOf, refusedBy, retryAfterSeconds } from '../domain/control.ts';
import { kindOf } from '../domain/control-kinds.ts';
import { clientScope, corridorScope, type PartyField } from '../domain/corridor.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { ControlWatch } from '../store/controls/watch-controls.ts';
import { findKnownKeys } from '../store/idempotency-keys/key-slices.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';
import { retryAfter } from './limits/limiter.ts';
import type { InputError, Prepared } from './prepare-transactions.ts';

export const GATE_PROBLEMS = [
  'scope-stopped',
  'frozen',
  'controls-unread',
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
  problem: 'controls-unread',
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
 * Finds inputs of a client whose scope is closed, by index; nearly always none. An input whose key is known is left out: a repetition
 * stores nothing, and is answered as a repetition.
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

/** Paths that read-only mode leaves open: controls end the mode, people sign in, and repeated submissions are answered. */
const ALLOWED = /^\/v1\/(?:controls|sessions|transactions)(?:\/|$)/;

export function refuseWrites({
  current,
}: Pick<ControlWatch, 'current'>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const control = controlOf(current(), 'read-only', null);
    const { method, path } = c.req;
    if (control === undefined || !mayWrite(method, path) || ALLOWED.test(path)) return await next();
    const { scope, message } = control;
    const why = message === null ? '.' : `: ${message}`;
    const detail = `Nothing was done: the market is read-only (${scope})${why}`;
    const headers = { 'Retry-After': String(retryAfterSeconds(control, Date.now())) };
    throw new Problem('scope-stopped', detail, { headers });
  };
}

/**
 * Refuses rows whose month takes none: it is detached, or the request names more months than it may create. A
 * row whose key is held is answered by its key, whatever its month: it is not stored again.
 */
export const MONTH_PROBLEMS = ['month-detached', 'too-many-new-months'] as const;
export type MonthProblem = (typeof MONTH_PROBLEMS)[number];

/** More: one request locks tables for longer; fewer: a backfill of a year asks for `risk partitions create` first. */
export const NEW_MONTHS_PER_REQUEST_MAX = 12;

export type RefusedRow = {
  readonly problem: MonthProblem;
  readonly field: 'created_at';
  readonly detail: string;
};

/** The rows of a request that cannot be stored; nearly always none. */
export type RefusedRows = ReadonlyMap<NewTransaction, RefusedRow>;

export function refuseRows(
  rows: readonly NewTransaction[],
  { detached, tooMany }: RefusedMonths,
): RefusedRows {
  const refused = new Map<NewTransaction, RefusedRow>();
  if (detached.size === 0 && tooMany.size === 0) return refused;
  for (const row of rows) {
    const month = monthOf(row.createdAtMs);
    if (detached.has(month)) refused.set(row, inDetached(month));
    else if (tooMany.has(month)) refused.set(row, inNew(month, tooMany));
  }
  return refused;
}

function inDetached(month: Month): RefusedRow {
  const detail = `is in ${monthText(month)}, which is detached: bin/risk ${attachCommand(month)} brings it back`;
  return { problem: 'month-detached', field: 'created_at', detail };
}

function inNew(month: Month, tooMany: ReadonlySet<Month>): RefusedRow {
  const detail = `is in ${monthText(month)}, one of ${tooMany.size} new months: bin/risk ${createCommand(tooMany)} makes them ahead`;
  return { problem: 'too-many-new-months', field: 'created_at', detail };
}

/** Refuses a whole request. Thrown before anything is stored. */
export class MonthsRefused extends Failure {
  readonly problem: MonthProblem;
  readonly rows: RefusedRows;

  constructor({ detached, tooMany }: RefusedMonths, rows: RefusedRows) {
    const problem = detached.size > 0 ? 'month-detached' : 'too-many-new-months';
    super('conflict', problem, detached.size > 0 ? sayDetached(detached) : sayTooMany(tooMany));
    this.problem = problem;
    this.rows = rows;
  }

  errors({ rowOf }: Prepared): InputError[] {
    return rowOf.flatMap((row, index) => {
      const refused = this.rows.get(row);
      return refused === undefined ? [] : [{ index, field: refused.field, detail: refused.detail }];
    });
  }
}

function sayDetached(months: ReadonlySet<Month>): string {
  return `${monthsAre(months)} detached; nothing was stored. An operator brings them back: bin/risk ${attachCommand(Math.min(...months))}`;
}

function sayTooMany(months: ReadonlySet<Month>): string {
  return `${monthsAre(months)} new, and one request may make ${NEW_MONTHS_PER_REQUEST_MAX}; nothing was stored. An operator makes them ahead: bin/risk ${createCommand(months)}`;
}

function attachCommand(month: Month): string {
  return `partitions attach ${monthText(month)}`;
}

function createCommand(months: ReadonlySet<Month>): string {
  const [from, to] = [Math.min(...months), Math.max(...months)].map(monthText);
  return `partitions create --from ${from} --to ${to}`;
}
