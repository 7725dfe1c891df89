/** Sets, raises and removes limits, with the row of the audit log in the same commit. */
import { z } from 'zod';
import {
  burstMin,
  isRaise,
  isSameRate,
  isThrottle,
  keyScope,
  LIMIT_KIND_NAMES,
  LIMIT_KINDS,
  LIMITED_MARKET,
  type Limit,
  type LimitProposal,
  limitSchema,
  partyFields,
  type Rate,
  throttleScope,
  toLimitJson,
} from '../../core/domain/limit.ts';
import { corridorScope, isClientScope } from '../../core/domain/switch.ts';
import { changeLimits, LIMITS_MAX } from '../../core/store/limits/limits.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Decider } from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { requireAuthority, requireOther } from './authority.ts';
import { adviseScope, noticeField } from './known-scopes.ts';
import { checkEnd, END_DAYS_MAX, reasonField } from './switch-change.ts';

const RATE_MIN = 0.001;
const RATE_MAX = 1_000_000;
const BURST_MAX = 10_000_000;

const counted = LIMIT_KIND_NAMES.map((kind) => `\`${kind}\`: ${LIMIT_KINDS[kind]}`).join('; ');

export const limitCommandSchema = z
  .strictObject({
    kind: z.enum(LIMIT_KIND_NAMES).meta({ description: `What is counted. ${counted}.` }),
    rate_per_second: z
      .number()
      .min(RATE_MIN)
      .max(RATE_MAX)
      .optional()
      .meta({ description: 'Units a second; without it and `burst` the limit is removed.' }),
    burst: z.int().min(1).max(BURST_MAX).optional().meta({
      description:
        'Units that may come at once after a pause: at least a tenth of a second of the rate.',
    }),
    ends_at: wireTime.optional().meta({
      description: `When a throttle ends by itself, by Postgres’ clock; in ${END_DAYS_MAX} days at most. Other limits have none.`,
    }),
    reason: reasonField,
  })
  .superRefine((input, context) => {
    const { rate_per_second: rate, burst, ends_at } = input;
    if (ends_at !== undefined) checkEnd({ ends_at }, context);
    if ((rate === undefined) !== (burst === undefined)) {
      const path = [rate === undefined ? 'rate_per_second' : 'burst'];
      const message = 'is required: a limit has a rate and a burst, and a removal has neither';
      context.addIssue({ code: 'custom', path, message, input: undefined });
    }
    if (rate === undefined || burst === undefined || burst >= burstMin(rate)) return;
    const message = `must be at least ${burstMin(rate)}, a tenth of a second of the rate, not ${burst}`;
    context.addIssue({ code: 'custom', path: ['burst'], message, input: burst });
  })
  .meta({ id: 'LimitCommand' });
export type LimitCommand = z.output<typeof limitCommandSchema>;

export const limitsOfScopeSchema = z
  .object({ scope: z.string(), limits: z.array(limitSchema) })
  .meta({ id: 'LimitsOfScope' });

export const changedLimitsSchema = limitsOfScopeSchema
  .extend({
    replaced: limitSchema.shape.proposal.meta({
      description: 'The proposal whose place the change took; null: none waited.',
    }),
    notice: noticeField,
  })
  .meta({ id: 'ChangedLimits' });

type Request = {
  readonly scope: string;
  readonly command: LimitCommand;
  readonly by: Decider;
};

/**
 * A first limit and a lower one hold at once. A raise or a removal is stored as a proposal, and holds when another person
 * sends the same; a throttle is never raised, as it ends by itself.
 * @returns the proposal that waited and no longer does, unless the change approves it
 */
export async function changeLimit(
  database: Pick<Database, 'transaction'>,
  { scope, command, by }: Request,
): Promise<LimitProposal | null> {
  const { kind, reason } = command;
  const { rate_per_second: ratePerSecond, burst } = command;
  const to = ratePerSecond === undefined || burst === undefined ? null : { ratePerSecond, burst };
  const endsAt = command.ends_at === undefined ? null : new Date(command.ends_at).toISOString();
  const change = { by: by.name, reason, endsAt };
  return await changeLimits(
    database,
    { scope, kind },
    async (query, { all, set, propose, remove }) => {
      const known = all.find((limit) => limit.scope === scope && limit.kind === kind);
      const isMore = known !== undefined && isRaise(known, to);
      requireAuthority(isMore ? 'raise or remove a limit' : 'set or lower a limit', by);
      const record = async (action: 'limit.set' | 'limit.propose' | 'limit.approve') => {
        const after = {
          kind,
          rate_per_second: null,
          burst: null,
          ...toJson(to),
          ends_at: endsAt,
          reason,
        };
        const before = known === undefined ? null : toLimitJson(known);
        await recordChange(query, by, { action, subject: scope, before, after });
      };
      if (known === undefined) {
        if (to === null) return null;
        checkRoom(all);
        await set(to, change);
        await record('limit.set');
        return null;
      }
      const { proposal } = known;
      requireStricter(known, isMore, endsAt);
      if (!isMore && to !== null) {
        if (isSame(known, to, endsAt)) return null;
        await set(to, change);
        await record('limit.set');
        return proposal;
      }
      if (proposal === null || !isSameRate(proposal.rate, to)) {
        await propose(to, change);
        await record('limit.propose');
        return proposal;
      }
      requireOther('raise or remove a limit', by, { scope, by: proposal.proposedBy });
      await (to === null ? remove() : set(to, change));
      await record('limit.approve');
      return null;
    },
  );
}

const isSame = (known: Limit, to: Rate, endsAt: string | null) =>
  isSameRate(known, to) && known.endsAt === endsAt && known.proposal === null;

/** @throws Failure where a throttle would let more through, or end earlier */
function requireStricter(known: Limit, isMore: boolean, endsAt: string | null): void {
  if (known.endsAt === null || endsAt === null) return;
  if (!isMore && endsAt >= known.endsAt) return;
  const { scope, ratePerSecond, burst } = known;
  const why = `${scope} is at ${ratePerSecond} a second, ${burst} at once, until ${known.endsAt}, which is stricter: remove it first`;
  throw new Failure('conflict', 'THROTTLED_ALREADY', why);
}

const toJson = (rate: Rate | null) =>
  rate && { rate_per_second: rate.ratePerSecond, burst: rate.burst };

function checkRoom(all: readonly Limit[]): void {
  if (all.length < LIMITS_MAX) return;
  throw new Failure('conflict', 'TOO_MANY_LIMITS', `a market has at most ${LIMITS_MAX} limits`);
}

/** Why a command must have an end or may have none; undefined where its end fits the scope. */
export function wrongEndOf(
  scope: string,
  { rate_per_second: rate, ends_at }: Pick<LimitCommand, 'rate_per_second' | 'ends_at'>,
): string | undefined {
  const isEnding = isThrottle(scope) && rate !== undefined;
  if (isEnding === (ends_at !== undefined)) return undefined;
  return isEnding
    ? 'is required: a throttle ends by itself'
    : 'is of a throttle alone: leave it out, or set throttle:corridor:NAME';
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws Problem where nothing of that name is limited */
export function checkLimitScope(scope: string, corridors: ReadonlySet<string>): void {
  const own = [corridorScope, throttleScope].flatMap((scopeOf) => [...corridors].map(scopeOf));
  const names = [LIMITED_MARKET, ...partyFields.keys(), ...own];
  if (names.includes(scope) || isClientScope(scope)) return;
  if (scope.startsWith(keyScope('')) && UUID.test(scope.slice(keyScope('').length))) return;
  throw new Problem(
    'not-found',
    `No scope is called ${given(scope)}: market, corridor:NAME or throttle:corridor:NAME of GET /v1/corridors, client:NAME, key:ID of GET /v1/keys, each:account, each:device or each:address${adviseScope(scope, names)}.`,
  );
}
