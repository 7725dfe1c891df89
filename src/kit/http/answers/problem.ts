/**
 * RFC 9457: every error answer. The one place where a Failure becomes a status; an unexpected error becomes a
 * bare 500, and its cause goes to the log. No driver's text reaches a client.
 */
import { CORRIDOR_BUSY, CORRIDOR_STUCK } from '../../breakers/corridor-writes.ts';
import type { Trace } from '../../traces/trace.ts';
import { Failure } from '../../words/failure.ts';
import { type FieldError, InvalidFields } from '../../words/field-errors.ts';
import { MONTH_DETACHED, MonthDetached } from '../../words/month.ts';
import {
  helpPath,
  PROBLEMS,
  type ProblemName,
  type ProblemUrn,
  problemUrn,
} from './problem-types.ts';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';
const RETRY_AFTER_SECONDS = '1';
/** Longest list of errors in one answer. */
const FIELD_ERRORS_MAX = 100;

type ProblemOptions = {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** The transaction that the request has stored. */
  readonly transactionId?: string | undefined;
  /** Tells problems of one type apart, as BACKTEST_ENDED. */
  readonly code?: string | undefined;
};

/** Thrown by middleware and handlers; the application's error handler renders it. */
export class Problem extends Error {
  readonly problem: ProblemName;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly transactionId: string | undefined;
  readonly code: string | undefined;

  constructor(problem: ProblemName, detail: string, options: ProblemOptions = {}) {
    const errors = options.errors ?? [];
    const unlisted = errors.length - FIELD_ERRORS_MAX;
    super(unlisted > 0 ? `${detail} ${unlisted} more errors are not listed.` : detail);
    this.name = 'Problem';
    this.problem = problem;
    this.errors = errors.slice(0, FIELD_ERRORS_MAX);
    this.headers = options.headers ?? {};
    this.transactionId = options.transactionId;
    this.code = options.code;
  }
}

export type ProblemJson = {
  readonly type: ProblemUrn;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly trace_id?: string;
  readonly help: string;
  readonly code?: string;
  readonly transaction_id?: string;
  readonly errors?: readonly FieldError[];
};

/** Codes of conflicts that have a problem of their own. */
const CONFLICTS: ReadonlyMap<string, ProblemName> = new Map([
  ['STILL_RUNNING', 'still-running'],
  ['PRECONDITION_FAILED', 'precondition-failed'],
]);

/** Codes of what is not there for now whose texts name nothing but what the client asked for. */
const SAID_TO_CLIENTS: readonly string[] = [CORRIDOR_BUSY, CORRIDOR_STUCK, 'SCORECARD_NEWER'];

/** The thrown value as a Problem; undefined for an unexpected error. */
export function toProblem(thrown: unknown): Problem | undefined {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof InvalidFields) {
    return new Problem('invalid-fields', thrown.message, { errors: thrown.errors });
  }
  if (!(thrown instanceof Failure)) return undefined;
  switch (thrown.kind) {
    case 'invalid':
      return new Problem('invalid-fields', asSentence(thrown.message));
    case 'conflict':
      return new Problem(CONFLICTS.get(thrown.code) ?? 'conflict', asSentence(thrown.message), {
        code: thrown.code,
      });
    case 'not-found':
      return new Problem(
        thrown.code === MONTH_DETACHED ? 'transaction-detached' : 'not-found',
        asSentence(thrown.message),
        { code: thrown.code },
      );
    case 'unavailable':
    case 'transient':
      return unavailable(
        SAID_TO_CLIENTS.includes(thrown.code) ? asSentence(thrown.message) : undefined,
      );
    case 'permanent':
      return thrown instanceof MonthDetached
        ? new Problem('month-detached', asSentence(thrown.message))
        : undefined;
  }
}

/** Failures are clauses, as log lines and commands show them; the detail of a problem is a sentence. */
export function asSentence(clause: string): string {
  const begun = clause.replace(/^[a-z](?=[a-z]* )/, (letter) => letter.toUpperCase());
  return begun.endsWith('.') ? begun : `${begun}.`;
}

export function unavailable(detail = 'A service this depends on does not answer.'): Problem {
  return new Problem('unavailable', detail, { headers: { 'Retry-After': RETRY_AFTER_SECONDS } });
}

/**
 * `instance` is the request id, which the log lines carry too.
 * @param trace of the request, where traces are on
 */
export function problemJson(
  problem: Problem,
  requestId: string,
  trace?: Pick<Trace, 'traceId'>,
): ProblemJson {
  const { status, title } = PROBLEMS[problem.problem];
  return {
    type: problemUrn(problem.problem),
    title,
    status,
    detail: problem.message,
    instance: requestId,
    ...(trace === undefined ? {} : { trace_id: trace.traceId }),
    help: helpPath(problem.problem),
    ...(problem.code === undefined ? {} : { code: problem.code }),
    ...(problem.transactionId === undefined ? {} : { transaction_id: problem.transactionId }),
    ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  };
}

/** The answer to a problem. */
export function problemResponse(
  problem: Problem,
  requestId: string,
  trace?: Pick<Trace, 'traceId'>,
): Response {
  return new Response(JSON.stringify(problemJson(problem, requestId, trace)), {
    status: PROBLEMS[problem.problem].status,
    headers: { ...problem.headers, 'Content-Type': PROBLEM_CONTENT_TYPE },
  });
}
