/**
 * Accepts one chunk of a stream of lines: one database transaction for all that can be accepted. A bad
 * line refuses only itself, and one that conflicts with another gives way to the earlier one.
 */
import { SPANS } from '../../kit/traces/names.ts';
import type { Trace } from '../../kit/traces/trace.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { FieldError } from '../../kit/words/field-errors.ts';
import type { NewMonths } from '../../kit/words/month.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { Tokenised } from '../personal.ts';
import { acceptEach, type EachOutcome, findEachInvalid } from './accept-transactions.ts';
import { admit, keptEach, tokenised } from './admit.ts';
import type { Closed, MonthProblem } from './gate.ts';
import type { Ingest } from './ingest.ts';
import type { Submitter } from './limits/limiter.ts';

/** A line as parsed: a transaction, or its problem. */
export type Line = { readonly index: number } & (
  | { readonly input: KeyedTransactionInput }
  | { readonly errors: readonly FieldError[] }
);

export type LineResult = { readonly index: number } & (
  | { readonly status: 'accepted' | 'duplicate'; readonly transaction_id: string }
  | {
      readonly status: 'invalid' | 'conflict';
      /** Why a line is refused that is valid by itself. */
      readonly code?: MonthProblem;
      readonly errors: readonly FieldError[];
    }
  | {
      readonly status: 'unavailable';
      /** Why the engine does not take the line now; absent where a store does not answer. */
      readonly code?: Closed['problem'];
      readonly retry_after_seconds?: number;
      readonly errors?: readonly FieldError[];
    }
);

/** State that the chunks of one request share. */
type Common = {
  readonly by: Submitter;
  readonly trace: Trace | undefined;
  readonly newMonths: NewMonths;
  /** Corridors of which the request has been counted. */
  readonly counted: Set<string>;
};

export async function acceptChunk(
  ingest: Ingest,
  common: Common,
  lines: readonly Line[],
): Promise<LineResult[]> {
  const results = new Map<number, LineResult>();
  for (const line of lines) {
    if ('errors' in line) refuse(results, line.index, line.errors);
  }
  const parsed = lines.flatMap((line) => ('input' in line ? line : []));
  const parsedInputs = parsed.map(({ input }) => input);
  const invalid = findEachInvalid(ingest, parsedInputs);
  for (const [at, errors] of Map.groupBy(invalid, (error) => error.index)) {
    const index = parsed[at]?.index;
    const fields = errors.map(({ field, detail }) => ({ pointer: `/${field}`, detail }));
    if (index !== undefined) refuse(results, index, fields);
  }
  const clear = parsed.filter(({ index }) => !results.has(index));
  const drafted = await orNothing(() =>
    tokenised(
      ingest,
      clear.map(({ input }) => input),
    ),
  );
  const closed = await admit(ingest, {
    by: common.by,
    inputs: drafted?.inputs ?? [],
    isEach: true,
    counted: common.counted,
  });
  for (const [at, line] of closed) {
    const index = clear[at]?.index ?? 0;
    results.set(index, toUnavailable(index, line));
  }
  const open = [...clear.keys()].filter((at) => !closed.has(at));
  // The request may last for hours, so each chunk has a trace of its own.
  const trace = common.trace?.beginApart({ name: SPANS.chunk });
  const outcomes = drafted && (await acceptOrNothing(ingest, common, drafted, open, trace));
  if (outcomes === undefined) trace?.fail('unavailable');
  trace?.end();
  for (const [nth, at] of open.entries()) {
    const index = clear[at]?.index ?? 0;
    results.set(index, toResult(index, outcomes?.[nth]));
  }
  return lines.flatMap(({ index }) => results.get(index) ?? []);
}

function refuse(
  results: Map<number, LineResult>,
  index: number,
  errors: readonly FieldError[],
): void {
  results.set(index, { index, status: 'invalid', errors });
}

const acceptOrNothing = (
  ingest: Ingest,
  { by: { client }, newMonths }: Common,
  drafted: Tokenised,
  open: readonly number[],
  trace: Trace | undefined,
) =>
  orNothing(async () => {
    const all = await keptEach(ingest, { client, tokenised: drafted }, open, newMonths);
    const inputs = open.flatMap((at) => all[at] ?? []);
    return await acceptEach(ingest, {
      client,
      newMonths,
      inputs,
      traceOf: () => trace,
      replyTo: null,
    });
  });

/** Undefined when the store does not answer: the lines may be clear again. */
async function orNothing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    // The conflict of another process' open request passes, too.
    const isPassing = error instanceof Failure && error.kind !== 'permanent';
    if (isPassing) return undefined;
    throw error;
  }
}

function toUnavailable(
  index: number,
  { problem, field, detail, retryAfterSeconds }: Closed,
): LineResult {
  return {
    index,
    status: 'unavailable',
    code: problem,
    ...(retryAfterSeconds === null ? {} : { retry_after_seconds: retryAfterSeconds }),
    errors: [{ pointer: field === null ? '' : `/${field}`, detail }],
  };
}

function toResult(index: number, outcome: EachOutcome | undefined): LineResult {
  if (outcome === undefined) return { index, status: 'unavailable' };
  if ('status' in outcome) {
    return { index, status: outcome.status, transaction_id: outcome.transactionId };
  }
  const { problem, field, detail } = outcome;
  const errors = [{ pointer: `/${field}`, detail }];
  if (problem === 'conflict') return { index, status: 'conflict', errors };
  return { index, status: 'invalid', code: problem, errors };
}
