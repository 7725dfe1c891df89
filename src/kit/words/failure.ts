/**
 * Expected failures as values. Adapters translate their driver's errors into a Failure at their border; the
 * worker decides what becomes of an entry by `kind`, the HTTP edge maps it to a problem.
 *
 * - `invalid`      the input itself is wrong; never retried.
 * - `conflict`     a known idempotency key with another body; never retried.
 * - `not-found`    what was asked for does not exist.
 * - `unavailable`  a dependency is down or refuses; counts as neither attempt nor delivery.
 * - `transient`    this piece of work failed for its own reason and may succeed later; costs an attempt.
 * - `permanent`    this piece of work can never succeed; straight to the dead letters.
 *
 */
export const FAILURE_KINDS = [
  'invalid',
  'conflict',
  'not-found',
  'unavailable',
  'transient',
  'permanent',
] as const;
type FailureKind = (typeof FAILURE_KINDS)[number];

/** A typed failure. `code` is stable and upper-case (`POSTGRES_UNAVAILABLE`), `message` is for people. */
export class Failure extends Error {
  readonly kind: FailureKind;
  readonly code: string;

  constructor(kind: FailureKind, code: string, detail: string, options?: { cause?: unknown }) {
    super(detail, options);
    this.name = 'Failure';
    this.kind = kind;
    this.code = code;
  }
}

/** A connection died during a commit, so that nobody knows whether the commit was done. */
export const COMMIT_UNKNOWN = 'COMMIT_UNKNOWN';

/** Turns any thrown value into an Error and keeps its content. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}

/** True when the failure says that a dependency, not the work, is at fault. */
export function isUnavailable(thrown: unknown): boolean {
  return thrown instanceof Failure && thrown.kind === 'unavailable';
}
