/**
 * Whether a market is ready to launch: each item with what was found. What the engine cannot see is recorded as a drill
 * of the last 90 days.
 */
import { z } from 'zod';
import type { Controls } from '../../core/domain/control.ts';
import { corridorScope, MARKET } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { readReach } from '../../kit/database/market-reach.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../kit/database/statement.ts';
import { numberParameter } from '../../kit/words/list-parameters.ts';
import { whyText } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import {
  checkSchema,
  countReviewers,
  type Found,
  findLimit,
  REVIEWERS_MIN,
  runChecks,
} from './checklist.ts';

/** Longer: people who took part have left. Shorter: drills become a formality. */
const DRILL_DAYS = 90;
/** Shorter: the second within which processes act on a control is most of the trial. */
const TRIAL_SECONDS_MIN = 10;
/** Payments this near to a trial show that the corridor was in use. */
const NEAR = "interval '10 minutes'";
/** Longer than a restart of Prometheus, which scrapes every 15 s. */
const SCRAPED_MS_MAX = 300_000;
const DRILLS = ['runbooks', 'backup'] as const;
const NOTE_CHARS_MAX = 4000;

export const marketChecklistSchema = z
  .object({
    market: z.string(),
    is_ready: z.boolean().meta({ description: 'Every item has passed.' }),
    items: z.array(checkSchema),
  })
  .meta({ id: 'MarketChecklist' });

export const volumeParameters = z.strictObject({
  transactions_per_day: numberParameter(
    'number',
    [1, 1e10],
    'The expected volume; absent: the average of the last 7 whole days.',
  ),
  review_share: numberParameter(
    'number',
    [0, 1],
    'Share of the transactions that people review; absent: as measured.',
  ),
});
type Volume = z.output<typeof volumeParameters>;

export const drillSchema = z
  .strictObject({
    drill: z.enum(DRILLS),
    note: whyText(NOTE_CHARS_MAX).meta({ description: 'What was done, and what was seen.' }),
  })
  .meta({ id: 'MarketDrill' });

export const recordedDrillSchema = drillSchema
  .extend({ by: z.string(), at: z.iso.datetime() })
  .meta({ id: 'RecordedDrill' });

export async function checkMarket(
  parts: Api,
  volume: Volume,
): Promise<z.output<typeof marketChecklistSchema>> {
  const controls = readControls(parts.databases.primary);
  const items = await runChecks({
    roles: findRoles(parts),
    'limit of requests': findLimit('limit-requests', MARKET, controls),
    'limit of inference': findLimit('limit-inference', MARKET, controls),
    quotas: findQuotas(controls),
    switches: findSwitches(parts),
    officers: findOfficers(parts, volume),
    runbooks: findDrill('runbooks', parts),
    dashboards: findScrape(parts),
    evidence: findEvidence(parts),
    backup: findDrill('backup', parts),
  });
  const market = parts.config.RISK_MARKET;
  return { market, is_ready: items.every(({ passed }) => passed), items };
}

const readRights = onlyOf<{ special: boolean }>(
  'read-special-rights',
  `select rolsuper or rolcreaterole or rolcreatedb or rolbypassrls as special from pg_roles where rolname = current_user`,
);

async function findRoles({ databases, config: { RISK_MARKET: market } }: Api): Promise<Found> {
  const { query } = databases.primary;
  const { role, markets, writesShared, strays } = await readReach(query, market);
  const { special } = await readRights(query);
  const faults = [
    special && 'may make roles or databases, or pass by security',
    markets.length > 0 && `reaches ${markets.join(', ')}`,
    writesShared && 'writes shared',
    strays.length > 0 && `does not own ${strays.join(', ')}`,
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return [true, `${role} owns ${market} and reaches nothing else`];
  return [false, `${role} ${faults.join(', ')}: risk markets grant ${market}`];
}

async function findQuotas(read: Promise<Controls>): Promise<Found> {
  const { settings, inForce } = await read;
  const own = inForce.get('limit-transactions');
  const without = [...settings.keys()].filter((corridor) => !own?.has(corridorScope(corridor)));
  if (settings.size > 0 && without.length === 0)
    return [true, `${settings.size} corridors have limits of transactions of their own`];
  const next = 'risk controls set limit-transactions corridor:…';
  return [false, `${without.join(', ') || 'there are no corridors'}: ${next}`];
}

type Trial = {
  readonly kind: 'stop' | 'freeze';
  readonly corridor: string;
  readonly endedAt: string;
  readonly seconds: number;
  readonly before: number;
  readonly meanwhile: number;
  readonly after: number;
};
// Payments that processes took within a second of the command are no fault of the switch.
const listTrials = rowsOf<Trial, [since: Date]>(
  'list-switch-trials',
  `select kind, e.corridor, ${timeText('ended_at')} as "endedAt", extract(epoch from ended_at - set_at)::float8 as seconds, t.*
     from (select split_part(subject, ':', 1) as kind, split_part(subject, ':', 3) as corridor, changed_at as ended_at,
                  (select changed_at from market.audit_log s
                    where s.action = 'control.set' and s.subject = e.subject and s.audit_id < e.audit_id
                    order by audit_id desc limit 1) as set_at
             from market.audit_log e
            where action = 'control.end' and subject ~ '^(stop|freeze):corridor:' and changed_at > now() - interval '${DRILL_DAYS} days'
            order by audit_id desc limit 20) e,
          lateral (select (count(*) filter (where received_at < set_at))::int4 as before,
                          (count(*) filter (where received_at between set_at + interval '2 seconds' and ended_at))::int4 as meanwhile,
                          (count(*) filter (where received_at > ended_at))::int4 as after
                     from market.transactions
                    where corridor = e.corridor and created_at >= $1
                      and received_at between set_at - ${NEAR} and ended_at + ${NEAR}) t`,
);

/** A trial that a corridor passed: payments came before and after, and none meanwhile. */
const hasPassed = ({ seconds, before, meanwhile, after }: Trial) =>
  seconds >= TRIAL_SECONDS_MIN && before > 0 && meanwhile === 0 && after > 0;

async function findSwitches({ databases }: Api): Promise<Found> {
  const trials = await listTrials(
    databases.primary.query,
    new Date(databases.now() - (DRILL_DAYS + 1) * DAY_MS),
  );
  const { stop = [], freeze = [] } = Object.groupBy(trials.filter(hasPassed), ({ kind }) => kind);
  for (const { corridor, endedAt } of stop) {
    const other = freeze.find((trial) => trial.corridor === corridor);
    if (other === undefined) continue;
    return [true, `stop and freeze held ${corridor}, until ${endedAt} and ${other.endedAt}`];
  }
  const [last] = trials;
  const said = last === undefined ? `not tried in ${DRILL_DAYS} days` : trialText(last);
  const ask = `on one corridor stop and freeze, each for ${TRIAL_SECONDS_MIN} s between payments`;
  return [false, `${said}: ${ask}`];
}

const trialText = ({ kind, corridor, seconds, before, meanwhile, after }: Trial) =>
  `${kind} of ${corridor} for ${Math.round(seconds)} s, payments before, meanwhile and after: ${before}, ${meanwhile}, ${after}`;

type Load = {
  readonly perDay: number;
  readonly cases: number;
  readonly reviews: number;
};
const readLoad = onlyOf<Load>(
  'read-market-load',
  `select (select coalesce(sum(count), 0)::float8 / 7 from market.daily_tallies
            where outcome = 'accepted' and day >= today - 7 and day < today) as "perDay",
          (select count(*)::float8 / 7 from market.review_cases where opened_at > now() - interval '7 days') as cases,
          (select (c ->> 'reviews_per_hour')::float8 * (c ->> 'hours_per_day')::float8 * (c ->> 'utilisation_max')::float8
             from (select policy -> 'capacity' as c from market.review_policies order by version desc limit 1) p) as reviews
     from (select (now() at time zone 'UTC')::date as today) t`,
);

async function findOfficers({ databases }: Api, expected: Volume): Promise<Found> {
  const { query } = databases.primary;
  const { perDay, cases, reviews } = await readLoad(query);
  const { people } = await countReviewers(query);
  const transactions = expected.transactions_per_day ?? perDay;
  const share = expected.review_share ?? (perDay > 0 ? cases / perDay : undefined);
  const have = `${people} analysts or risk officers`;
  if (transactions === 0 || share === undefined)
    return [false, `${have}; no volume is known: --transactions-per-day and --review-share`];
  const daily = Math.round(transactions * share);
  // Doubles may add a little to a whole number.
  const needed = Math.max(REVIEWERS_MIN, Math.ceil((transactions * share) / reviews - 1e-9));
  return [people >= needed, `${have}; ${daily} reviews a day take ${needed}`];
}

type Drill = { readonly by: string; readonly at: string; readonly note: string };
const DRILLED = 'market.drill';
// The action is passed as a value, as `market.` in the text of a statement becomes the schema.
const findNewest = firstOf<Drill, [drill: string, action: typeof DRILLED]>(
  'find-market-drill',
  `select who as by, ${timeText('changed_at')} as at, after ->> 'note' as note from market.audit_log
    where action = $2 and subject = $1 and changed_at > now() - interval '${DRILL_DAYS} days'
    order by audit_id desc limit 1`,
);

async function findDrill(
  drill: (typeof DRILLS)[number],
  { databases, config: { RISK_MARKET: market } }: Api,
): Promise<Found> {
  const found = await findNewest(databases.primary.query, drill, DRILLED);
  if (found !== undefined) return [true, `${found.by}, ${found.at}: ${found.note}`];
  const next = `risk markets drill ${market} ${drill} '…'`;
  return [false, `nobody has recorded a drill in ${DRILL_DAYS} days: ${next}`];
}

/** Records a drill that was done. */
export async function recordDrill(
  { databases }: Api,
  { drill, note }: z.output<typeof drillSchema>,
  by: Officer,
): Promise<z.output<typeof recordedDrillSchema>> {
  return await databases.primary.transaction(async (query) => {
    const change = { action: DRILLED, subject: drill, before: null } as const;
    await recordChange(query, by, { ...change, after: { note } });
    const recorded = await findNewest(query, drill, DRILLED);
    if (recorded === undefined) throw new Error(`the drill ${drill} is not in the audit log`);
    return { drill, ...recorded };
  });
}

function findScrape({ metrics }: Api): Found {
  const { atMs } = metrics.lastScrape;
  const age = Date.now() - atMs;
  const said = Number.isFinite(age) ? `${Math.round(age / 1000)} s ago` : 'never';
  const text = `a key of the market has read /metrics of this process ${said}`;
  return [age <= SCRAPED_MS_MAX, text];
}

type Log = {
  readonly origin: string;
  readonly size: string;
  readonly refused: string | null;
  readonly isSigned: boolean;
  readonly isFresh: boolean;
  readonly sealedAt: string;
};
const findLog = firstOf<Log>(
  'find-evidence-log',
  `select origin, size::text, refused, checkpoint is not null as "isSigned", sealed_at > now() - interval '1 hour' as "isFresh",
          ${timeText('sealed_at')} as "sealedAt"
     from market.evidence_logs order by log_id desc limit 1`,
);

async function findEvidence({ databases }: Api): Promise<Found> {
  const log = await findLog(databases.primary.query);
  if (log === undefined) return [false, 'no worker seals: RISK_EVIDENCE_KEYS'];
  const { origin, size, refused, isSigned, isFresh, sealedAt } = log;
  const text = `${origin}: ${size} leaves, sealed at ${sealedAt}`;
  if (refused !== null) return [false, `${text}; ${refused}`];
  return [isSigned && isFresh, isSigned ? text : `${text}; no checkpoint is signed`];
}
