/** Limits: how much a scope may send a second, how scopes are named, and which change needs another person. */
import { z } from 'zod';
import { corridorScope } from './switch.ts';

/** Units that are counted, by kind. A later kind is a row here and the code that takes its quota. */
export const LIMIT_KINDS = {
  requests: 'HTTP requests below /v1: each is 1, whatever its batch',
  transactions: 'submitted transactions, repeats included',
  inference:
    'models asked for transactions: each is 1 a transaction, of market and corridors alone',
} as const;
export type LimitKind = keyof typeof LIMIT_KINDS;
/** Kinds that API processes count, and kinds that workers count. */
export const REQUEST_KINDS: readonly LimitKind[] = ['requests', 'transactions'];
export const WORK_KINDS: readonly LimitKind[] = ['inference'];
export const LIMIT_KIND_NAMES = Object.keys(LIMIT_KINDS) as LimitKind[];

export const LIMITED_MARKET = 'market';
export const keyScope = (keyId: string) => `key:${keyId}`;

/** A limit that ends by itself, and is taken beside the corridor's lasting one, which it leaves as it is. */
export const throttleScope = (corridor: string) => `throttle:${corridorScope(corridor)}`;
export const isThrottle = (scope: string) => scope.startsWith(throttleScope(''));

/** In front of a kind of party: the limit of each account, device or address by itself. */
export const EACH = 'each:';
export type PartyField = 'account_id' | 'device_id' | 'ip';
/** The field of a transaction that names its party, by scope. */
export const partyFields: ReadonlyMap<string, PartyField> = new Map([
  [`${EACH}account`, 'account_id'],
  [`${EACH}device`, 'device_id'],
  [`${EACH}address`, 'ip'],
]);

/** Why a scope has no limit of a kind; undefined where it may have one. */
export function uncountedIn(scope: string, kind: LimitKind): string | undefined {
  if ((partyFields.has(scope) || isThrottle(scope)) && kind !== 'transactions')
    return `must be 'transactions', as ${scope} counts nothing else`;
  // An entry that waits in a stream names neither a client nor a key.
  if (kind === 'inference' && !(scope === LIMITED_MARKET || scope.startsWith(corridorScope(''))))
    return `must be 'requests' or 'transactions', as only market and corridors count inference`;
  return undefined;
}

export type Rate = {
  readonly ratePerSecond: number;
  /** Units that may come at once after a pause. */
  readonly burst: number;
};

/** A raise or a removal that waits for another person. */
export type LimitProposal = {
  /** Null: no limit any more. */
  readonly rate: Rate | null;
  readonly proposedBy: string;
  readonly proposedAt: string;
  readonly reason: string;
};

export type Limit = Rate & {
  readonly scope: string;
  readonly kind: string;
  readonly version: number;
  readonly setBy: string;
  readonly reason: string;
  readonly setAt: string;
  /** Null: it lasts. */
  readonly endsAt: string | null;
  readonly proposal: LimitProposal | null;
};

/** Whether a change lets more through than the limit in force. */
export function isRaise(from: Rate, to: Rate | null): boolean {
  return to === null || to.ratePerSecond > from.ratePerSecond || to.burst > from.burst;
}

export const isSameRate = (left: Rate | null, right: Rate | null): boolean =>
  left?.ratePerSecond === right?.ratePerSecond && left?.burst === right?.burst;

/** Shortest time that a burst lasts at the rate: leases are slices of half of that. */
const BURST_SECONDS_MIN = 0.1;
export const burstMin = (ratePerSecond: number) =>
  Math.max(1, Math.ceil(ratePerSecond * BURST_SECONDS_MIN));

const rateSchema = z.object({
  rate_per_second: z.number().nullable(),
  burst: z.int().nullable(),
});

export const limitSchema = z
  .object({
    kind: z.string(),
    rate_per_second: z.number(),
    burst: z.int(),
    version: z.int().meta({ description: 'Ascends by one a change of this limit.' }),
    set_by: z.string(),
    reason: z.string(),
    set_at: z.iso.datetime(),
    ends_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When a throttle ends by itself; null: the limit lasts.' }),
    proposal: rateSchema
      .extend({ proposed_by: z.string(), proposed_at: z.iso.datetime(), reason: z.string() })
      .nullable()
      .meta({
        description:
          'A raise, or with nulls a removal, that takes effect when another person sends it.',
      }),
  })
  .meta({ id: 'Limit' });
export type LimitJson = z.infer<typeof limitSchema>;

export function toLimitJson(limit: Limit): LimitJson {
  const { kind, ratePerSecond, burst, version, setBy, reason, setAt, endsAt, proposal } = limit;
  return {
    kind,
    rate_per_second: ratePerSecond,
    burst,
    version,
    set_by: setBy,
    reason,
    set_at: setAt,
    ends_at: endsAt,
    proposal: proposal && toProposalJson(proposal),
  };
}

export function toProposalJson(proposal: LimitProposal): NonNullable<LimitJson['proposal']> {
  return {
    rate_per_second: proposal.rate?.ratePerSecond ?? null,
    burst: proposal.rate?.burst ?? null,
    proposed_by: proposal.proposedBy,
    proposed_at: proposal.proposedAt,
    reason: proposal.reason,
  };
}
