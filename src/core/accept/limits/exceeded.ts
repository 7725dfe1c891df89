/** Tells a client of its limits: sentence, `Retry-After`, `RateLimit` and `RateLimit-Policy`. */
import type { HeaderList } from '../../../kit/http/answers/headers.ts';
import type { Rate } from '../../domain/limit.ts';

/** A limit that is used up. */
export type Exceeded = {
  readonly scope: string;
  readonly detail: string;
  /** Null: the same request never passes. */
  readonly retryAfterSeconds: number | null;
  readonly headers: Readonly<Record<string, string>>;
};

/** A limit and what is left of it. */
type Rest = Rate & { readonly remaining: () => number };

const RETRY_SECONDS_MAX = 3600;

/** @param seconds after which the units may be there */
export function exceededBy(
  { kind, scope, n }: { readonly kind: string; readonly scope: string; readonly n: number },
  rest: Rest,
  seconds: number,
): Exceeded {
  const { ratePerSecond, burst } = rest;
  const mayPass = n <= burst;
  const retryAfterSeconds = mayPass
    ? Math.max(1, Math.min(RETRY_SECONDS_MAX, Math.ceil(seconds)))
    : null;
  const units = ratePerSecond === 1 ? kind.replace(/s$/, '') : kind;
  const never = mayPass
    ? ''
    : `; ${n} at once never pass: send them in parts of at most ${Math.floor(burst)}`;
  return {
    scope,
    detail: `${scope} may send ${ratePerSecond} ${units} a second, ${burst} at once${never}`,
    retryAfterSeconds,
    headers: {
      ...Object.fromEntries(headersOf([[headerName(kind, scope), rest]])),
      ...retryAfter(retryAfterSeconds),
    },
  };
}

/** The header; none where the same request never passes. */
export const retryAfter = (seconds: number | null): Readonly<Record<string, string>> =>
  seconds === null ? {} : { 'Retry-After': String(seconds) };

export const headerName = (kind: string, scope: string) =>
  `${kind} of ${scope.replaceAll(/["\\]/g, '_')}`;

/** `RateLimit-Policy` and `RateLimit` of draft 11: w is a window that holds at least the burst, q what it lets through. */
export function headersOf(limits: readonly [name: string, rest: Rest][]): HeaderList {
  const policies = limits.map(([name, { ratePerSecond, burst }]) => {
    const seconds = Math.max(1, Math.ceil(burst / ratePerSecond));
    return `"${name}";q=${Math.max(1, Math.round(ratePerSecond * seconds))};w=${seconds}`;
  });
  const rests = limits.map(([name, lease]) => {
    const rest = lease.remaining();
    const missing = rest === 0 ? 1 : lease.burst - rest;
    return `"${name}";r=${rest};t=${Math.max(1, Math.ceil(missing / lease.ratePerSecond))}`;
  });
  return [
    ['RateLimit-Policy', policies.join(', ')],
    ['RateLimit', rests.join(', ')],
  ];
}
