/**
 * The limits of a process: a lease each, taken in order, all or none. A request counts for its key, its client and the market, and
 * each answer says what is left.
 */
import type { MiddlewareHandler } from 'hono';
import type { Guard } from '../../../kit/breakers/breaker.ts';
import { addHeaders, type HeaderList } from '../../../kit/http/answers/answer-headers.ts';
import { asSentence, Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { answerWithin } from '../../../kit/process/settles-within.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import {
  type Limit,
  type LimitUnit,
  type Rate,
  REQUEST_UNITS,
} from '../../domain/control-kinds.ts';
import {
  clientScope,
  keyScope,
  MARKET,
  type PartyField,
  partyFields,
} from '../../domain/corridor.ts';
import type { LimitWatch } from '../../store/controls/watch-controls.ts';
import { takeQuota, takeUnits } from '../../stream/party-quota.ts';
import { createLease, type Lease } from './lease.ts';

/** The client and the key that a request counts for. */
export type Submitter = { readonly client: string; readonly keyId: string };

export type Need = {
  readonly kind: LimitUnit;
  readonly scope: string;
  readonly n: number;
  /** Units that will be taken one after another. */
  readonly want?: number;
};

export type Limiter = ReturnType<typeof createLimiter>;

type PartyExceeded = Exceeded & { readonly field: PartyField };
/** A transaction as far as its parties are concerned. */
type Parties = { readonly [Field in PartyField]?: string | undefined };

/**
 * Takes a unit of each party of each input. Where Redis is away or full nothing is refused: nobody knows what was let through.
 * @param isEach whether an input is refused alone; otherwise nothing is taken where one is
 * @returns the inputs that are over a limit, by index
 */
export type TakeParties = (
  inputs: readonly Parties[],
  isEach: boolean,
) => Promise<ReadonlyMap<number, PartyExceeded>>;

/** Redis answers in under a millisecond; a request waits at most this long before its process goes on without Redis. */
const FETCH_MS_MAX = 250;

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

/** Scopes of every request, the narrowest first: a refusal by one leaves wider ones untouched. */
export const scopesOf = ({ client, keyId }: Submitter) => [
  keyScope(keyId),
  clientScope(client),
  MARKET,
];

export function createLimiter(
  watch: Pick<LimitWatch, 'current' | 'processes'>,
  { redis, market, run }: { redis: RedisClient; market: string; run: Guard },
) {
  let seen: ReturnType<LimitWatch['current']> = [];
  let leases: ReadonlyMap<string, Lease> = new Map();
  let kinds: ReadonlySet<string> = new Set();
  const nameOf = (kind: string, scope: string) => `${kind} ${scope}`;
  const current = () => {
    const limits = watch.current();
    if (limits === seen) return leases;
    leases = new Map(
      limits.map(({ kind, scope, ratePerSecond, burst }) => {
        const known = leases.get(nameOf(kind, scope));
        const isSame = known?.ratePerSecond === ratePerSecond && known.burst === burst;
        const limit = { kind, scope, ratePerSecond, burst };
        const lease = createLease({
          ratePerSecond,
          burst,
          processes: watch.processes,
          nowMs: () => performance.now(),
          fetch: async (ask) =>
            await inTime(run(() => takeQuota(redis, market, { ...limit, ...ask }))),
        });
        return [nameOf(kind, scope), known !== undefined && isSame ? known : lease];
      }),
    );
    kinds = new Set(limits.map(({ kind }) => kind));
    seen = limits;
    return leases;
  };
  return {
    /** Whether anything is limited by this kind. */
    limits: (kind: LimitUnit): boolean => current().size > 0 && kinds.has(kind),
    /** Takes all units that are needed, or none and answers which limit is used up. Scopes without a limit pass. */
    async take(needs: readonly Need[]): Promise<Exceeded | undefined> {
      const all = current();
      const taken: [Lease, number][] = [];
      for (const { kind, scope, n, want } of needs) {
        const lease = all.get(nameOf(kind, scope));
        if (lease === undefined) continue;
        const answer = lease.take(n, want);
        const seconds = typeof answer === 'number' ? answer : await answer;
        if (seconds === 0) {
          taken.push([lease, n]);
          continue;
        }
        for (const [other, units] of taken) other.giveBack(units);
        return exceededBy({ kind, scope, n }, lease, seconds);
      }
      return undefined;
    },
    /** Takes as many of n units as all of these scopes have. */
    async takeSome(kind: LimitUnit, scopes: readonly string[], n: number): Promise<number> {
      const all = current();
      const taken: Lease[] = [];
      let some = n;
      for (const scope of scopes) {
        const lease = all.get(nameOf(kind, scope));
        if (lease === undefined) continue;
        const got = await lease.takeSome(some);
        for (const other of taken) other.giveBack(some - got);
        taken.push(lease);
        some = got;
      }
      return some;
    },
    giveBack(needs: readonly Need[]): void {
      for (const { kind, scope, n } of needs) current().get(nameOf(kind, scope))?.giveBack(n);
    },
    takeParties: createPartyLimits(watch.current, { redis, market, run }),
    /** Headers with what is left of the limits of a key, its client and the market. */
    headersFor(who: Submitter): HeaderList {
      const all = current();
      const own = scopesOf(who).flatMap((scope) =>
        REQUEST_UNITS.flatMap((kind): [string, Lease][] => {
          const lease = all.get(nameOf(kind, scope));
          return lease === undefined ? [] : [[headerName(kind, scope), lease]];
        }),
      );
      return own.length === 0 ? [] : headersOf(own);
    },
  };
}

/**
 * Limits of each account, device and address by itself: off without a row, and a call of Redis a request with one. All processes
 * share them, as they are taken in Redis by its own time.
 */
export function createPartyLimits(
  current: () => readonly Limit[],
  { redis, market, run }: { redis: RedisClient; market: string; run: Guard },
): TakeParties {
  return async (inputs, isEach) => {
    const limits = current().flatMap((limit) => {
      const field = partyFields.get(limit.scope);
      if (field === undefined) return [];
      return { ...limit, field, parties: inputs.map((input) => input[field]) };
    });
    if (limits.length === 0) return new Map();
    const lacking = (await inTime(run(() => takeUnits(redis, market, limits, isEach)))) ?? [];
    return new Map(
      lacking.flatMap(({ input, limit, missing }) => {
        const found = limits[limit];
        if (found === undefined) return [];
        const { field, scope, parties, ratePerSecond } = found;
        const n = isEach ? 1 : parties.filter((party) => party === parties[input]).length;
        const need = { kind: 'transactions', scope, n };
        const rest = { ...found, remaining: () => 0 };
        return [[input, { field, ...exceededBy(need, rest, missing / ratePerSecond) }] as const];
      }),
    );
  };
}

/** Undefined where Redis fails or is silent. */
const inTime = <T>(call: Promise<T>): Promise<T | undefined> =>
  answerWithin(call, FETCH_MS_MAX).catch(() => undefined);

/**
 * Tells a client of its limits: sentence, `Retry-After`, `RateLimit` and `RateLimit-Policy`.
 * @param seconds after which the units may be there
 */
function exceededBy(
  { kind, scope, n }: { readonly kind: string; readonly scope: string; readonly n: number },
  rest: Rest,
  seconds: number,
): Exceeded {
  const { ratePerSecond, burst } = rest;
  const mayPass = n <= burst;
  // A process that counts without Redis knows its own share alone.
  const waitSeconds = Math.min(seconds, burst / ratePerSecond, RETRY_SECONDS_MAX);
  const retryAfterSeconds = mayPass ? Math.max(1, Math.ceil(waitSeconds)) : null;
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

/** Headers are ASCII: a character beyond ASCII, a quote and a backslash of a name each become an underscore. */
const headerName = (kind: string, scope: string) =>
  `${kind} of ${scope.replaceAll(/[^ !#-[\]-~]/gu, '_')}`;

/** `RateLimit-Policy` and `RateLimit` of draft 11: w is a window that holds at least the burst, q what it lets through. */
function headersOf(limits: readonly [name: string, rest: Rest][]): HeaderList {
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

/** Paths that stay open whatever is used up, for a person who has set a limit too low or must stop something. */
const UNCOUNTED = /^\/v1\/(?:degradation|suggestions|approvals|controls)(?:\/|$)/;

export function limitRequests(limiter: Limiter): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { client, keyId, sessionId } = c.get('principal');
    const who = { client, keyId };
    // People at the console are not counted, so that a busy client does not lock them out.
    const isCounted = sessionId === undefined && !UNCOUNTED.test(c.req.path);
    if (isCounted && limiter.limits('requests')) {
      const needs = scopesOf(who).map((scope) => ({ kind: 'requests' as const, scope, n: 1 }));
      const exceeded = await limiter.take(needs);
      if (exceeded !== undefined) {
        const { detail, headers } = exceeded;
        throw new Problem('limited', asSentence(`nothing was done: ${detail}`), { headers });
      }
    }
    await next();
    // A refusal has the headers of its own limit.
    if (isCounted) addHeaders(c, limiter.headersFor(who));
  };
}
