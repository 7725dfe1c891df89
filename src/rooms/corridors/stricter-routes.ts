/** `/v1/corridors/{id}/tighten` and `/manual`: stricter verdicts of a corridor for a time. */
import { z } from 'zod';
import { marketAmount } from '../../core/domain/decimal.ts';
import { type Stricter, stricterScope } from '../../core/domain/switch.ts';
import type { Api } from '../../core/room.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import type { Decider } from '../../kit/words/principal.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { AUTHORITY } from './authority.ts';
import { frozenOf, paths } from './freeze-routes.ts';
import {
  changeScopes,
  checkEnd,
  END_DAYS_MAX,
  reasonField,
  type StricterFields,
  stopExample,
  stopJsonOf,
  switchSchema,
} from './switch-change.ts';

/** An amount of the market's currency, as people set it for payments in every currency. */
type MarketAmount = {
  readonly currency: string;
  readonly amounts: Readonly<Record<string, number>>;
};

/** Largest amount that the name of a rule set has room for; no payment is as large. */
const AMOUNT_MAX = 999_999_999_999_999;

/** The amount in its own currency, and in each other one by the newest exchange rates, rounded down. */
const readMarketAmount = onlyOf<MarketAmount, [amount: string]>(
  'read-market-amount',
  `with own as (
     select policy ->> 'currency' as currency from market.review_policies order by version desc limit 1
   ), dollars as (
     (select distinct on (currency) currency, usd from market.exchange_rates
       where day <= (now() at time zone 'UTC')::date order by currency, day desc)
     union all select 'USD', 1
   )
   select own.currency,
          (select coalesce(jsonb_object_agg(other.currency, least(trunc($1::numeric * its.usd / other.usd, 2), ${AMOUNT_MAX})), '{}')
             from dollars its cross join dollars other where its.currency = own.currency)
          || jsonb_build_object(own.currency, $1::numeric) as amounts
     from own`,
);

/** Thresholds lose at most half, so more points than half the scale change nothing. */
const POINTS_MAX = 500;

const said = {
  reason: reasonField,
  ends_at: wireTime.meta({
    description: `When it ends by itself, by Postgres’ clock; in ${END_DAYS_MAX} days at most.`,
  }),
};

const tightenSchema = z
  .strictObject({
    points: z.int().min(1).max(POINTS_MAX).meta({
      description:
        'By which the thresholds of review and decline are lower; each loses at most half.',
    }),
    ...said,
  })
  .superRefine(checkEnd)
  .meta({ id: 'TightenCommand' });

const manualSchema = z
  .strictObject({
    from_amount: marketAmount.meta({
      description:
        'In the currency of the market, which the review policy names. Amounts from it on are not approved: in other currencies by the newest exchange rates, and any amount in a currency without one.',
    }),
    ...said,
  })
  .superRefine(checkEnd)
  .meta({ id: 'ManualCommand' });

type Call = {
  readonly id: string;
  readonly kind: Stricter;
  readonly set: StricterFields;
  readonly body: { readonly reason: string; readonly ends_at: string };
  readonly by: Decider;
};

async function makeStricter({ id, kind, set, body, by }: Call, parts: Api) {
  frozenOf('corridor', id, parts);
  const scope = stricterScope(kind, id);
  const { reason, ends_at } = body;
  const command = { stopped: true, reason, ends_at, ...set };
  const { primary } = parts.databases;
  const { now } = await changeScopes(primary, { scopes: [scope], command, by });
  parts.log.warn({ keyId: by.keyId, scope, command }, 'stricter verdicts');
  return { scope, version: now.version, stop: stopJsonOf(now, scope) };
}

const reason = 'a wave of stolen cards';
const ends_at = '2026-11-25T10:30:00.000Z';
const exampleOf = (kind: Stricter, set: StricterFields) => ({
  scope: stricterScope(kind, 'US-EG'),
  version: 8,
  stop: {
    ...stopExample,
    scope: stricterScope(kind, 'US-EG'),
    reason,
    message: null,
    ends_at,
    ...set,
  },
});
const manualExample = exampleOf('manual', {
  value: 2500,
  currency: 'USD',
  amounts: { USD: 2500, EGP: 121_951.21 },
});
const ends = `Another value replaces it if it is stricter and lasts as long. \`PUT /v1/switches/{scope}\` with \`stopped: false\` ends it early, with the role ${AUTHORITY['end a tightening early'].roles.join(' or ')}.`;

export const stricterOperations = [
  operation({
    method: 'post',
    at: '/v1/corridors/{id}/tighten',
    operationId: 'tightenCorridor',
    summary: 'Lower the thresholds of review and decline of a corridor for a time',
    description: `\`rule_set\` of a score says so: \`default@3-tightened-100\`. Workers act on it within a second. ${ends}`,
    roles: AUTHORITY['tighten a corridor'].roles,
    path: paths.corridor,
    body: bodyOf(tightenSchema, { points: 100, reason, ends_at }),
    answers: {
      200: answer('As it is in force.', switchSchema, exampleOf('tighten', { value: 100 })),
    },
    problems: [404, 409],
    run: ({ path: { id }, body, by }, parts: Api) =>
      makeStricter({ id, kind: 'tighten', set: { value: body.points }, body, by }, parts),
  }),
  operation({
    method: 'post',
    at: '/v1/corridors/{id}/manual',
    operationId: 'reviewByHand',
    summary: 'Let people review amounts of a corridor from one on, for a time',
    description: `What would be approved is reviewed, and a decline stays. \`rule_set\` of a score says so in the currency of its payment: \`default@3-manual-from-121951.21-EGP\`. Workers act on it within a second. ${ends}`,
    roles: AUTHORITY['tighten a corridor'].roles,
    path: paths.corridor,
    body: bodyOf(manualSchema, { from_amount: '2500', reason, ends_at }),
    answers: { 200: answer('As it is in force.', switchSchema, manualExample) },
    problems: [404, 409],
    run: async ({ path: { id }, body, by }, parts: Api) => {
      const amount = await readMarketAmount(parts.databases.primary.query, body.from_amount);
      const set = { value: Number(body.from_amount), ...amount };
      return await makeStricter({ id, kind: 'manual', set, body, by }, parts);
    },
  }),
];
