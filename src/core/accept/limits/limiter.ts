/** The limits of an API process: a lease each, taken in order, all or none. */
import type { Guard } from '../../../kit/breakers/breaker.ts';
import type { HeaderList } from '../../../kit/http/answers/headers.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { keyScope, LIMIT_KIND_NAMES, LIMITED_MARKET, type LimitKind } from '../../domain/limit.ts';
import { clientScope } from '../../domain/switch.ts';
import type { LimitWatch } from '../../store/limits/watch-limits.ts';
import { takeQuota } from '../../stream/limit-quota.ts';
import { createLease, type Lease } from './lease.ts';

/** Who is counted: the client and the key of a request. */
export type Submitter = { readonly client: string; readonly keyId: string };

export type Need = {
  readonly kind: LimitKind;
  readonly scope: string;
  readonly n: number;
  /** Units that will be taken one after another. */
  readonly want?: number;
};

/** A limit that is used up. */
export type Exceeded = {
  readonly scope: string;
  readonly detail: string;
  readonly retryAfterSeconds: number;
  readonly headers: Readonly<Record<string, string>>;
};

export type Limiter = {
  /** Whether anything is limited by this kind. */
  readonly limits: (kind: LimitKind) => boolean;
  /** Takes all units that are needed, or none and answers which limit is used up. Scopes without a limit pass. */
  readonly take: (needs: readonly Need[]) => Promise<Exceeded | undefined>;
  /** Headers with what is left of the limits of a key, its client and the market. */
  readonly headersFor: (who: Submitter) => HeaderList;
};

/** Redis answers in under a millisecond; a request waits at most this long before its process grants its share. */
const FETCH_MS_MAX = 250;
const RETRY_SECONDS_MAX = 3600;

/** Scopes of every request, the narrowest first: a refusal by one leaves wider ones untouched. */
export const scopesOf = ({ client, keyId }: Submitter) => [
  keyScope(keyId),
  clientScope(client),
  LIMITED_MARKET,
];

export function createLimiter(
  watch: Pick<LimitWatch, 'current' | 'processes'>,
  { redis, market, run }: { redis: RedisClient; market: string; run: Guard },
): Limiter {
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
    limits: (kind) => current().size > 0 && kinds.has(kind),
    async take(needs) {
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
        return exceeded({ kind, scope, n }, lease, seconds);
      }
      return undefined;
    },
    headersFor(who) {
      const all = current();
      const own = scopesOf(who).flatMap((scope) =>
        LIMIT_KIND_NAMES.flatMap((kind): [string, Lease][] => {
          const lease = all.get(nameOf(kind, scope));
          return lease === undefined ? [] : [[headerName(kind, scope), lease]];
        }),
      );
      return own.length === 0 ? [] : headersOf(own);
    },
  };
}

/** Undefined where Redis fails or is silent. */
async function inTime<T>(call: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, FETCH_MS_MAX, undefined);
  });
  try {
    return await Promise.race([call.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

function exceeded({ kind, scope, n }: Need, lease: Lease, seconds: number): Exceeded {
  const { ratePerSecond, burst } = lease;
  const retryAfterSeconds = Math.max(1, Math.min(RETRY_SECONDS_MAX, Math.ceil(seconds)));
  const never = n > burst ? `; ${n} at once never pass` : '';
  return {
    scope,
    detail: `${scope} may send ${ratePerSecond} ${kind} a second, ${burst} at once${never}`,
    retryAfterSeconds,
    headers: {
      ...Object.fromEntries(headersOf([[headerName(kind, scope), lease]])),
      'Retry-After': String(retryAfterSeconds),
    },
  };
}

const headerName = (kind: string, scope: string) => `${kind} of ${scope.replaceAll(/["\\]/g, '_')}`;

/** `RateLimit-Policy` and `RateLimit` of draft 11: w is a window that holds at least the burst, q what it lets through. */
function headersOf(limits: readonly [name: string, lease: Lease][]): HeaderList {
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
