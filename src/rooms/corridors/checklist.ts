/** Whether a corridor is independent of others and ready to launch: each item with what was found. */
import { z } from 'zod';
import { type Controls, freezeOf, nameOf, stopOf } from '../../core/domain/control.ts';
import type { Kind } from '../../core/domain/control-kinds.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { listConsumers } from '../../core/stream/group/consumer-group.ts';
import { claimIdentity } from '../../core/stream/identity.ts';
import { joinLags } from '../../core/stream/kafka/lag.ts';
import { slotTag, streamsOf } from '../../core/stream/keys.ts';
import { measureStreams } from '../../core/stream/status/lag.ts';
import { listReports } from '../../core/stream/status/workers.ts';
import { readReach } from '../../kit/database/market-reach.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { throwRedisFailure } from '../../kit/redis/connection.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { sayValue } from './say.ts';

export const checkSchema = z.object({ name: z.string(), passed: z.boolean(), found: z.string() });

export const checklistSchema = z
  .object({
    corridor: z.string(),
    is_independent: z.boolean().meta({ description: 'Every item of independence has passed.' }),
    is_ready: z.boolean().meta({ description: 'Every item has passed.' }),
    items: z.array(checkSchema.extend({ kind: z.enum(['independence', 'launch']) })),
  })
  .meta({ id: 'CorridorChecklist' });

export type Found = readonly [passed: boolean, found: string];

/** Reviewers who can decide a case and confirm the decision of another. */
export const REVIEWERS_MIN = 2;
/** A reader that asked nothing of a stream for longer than this has ended or hangs. */
const READER_IDLE_MS = 60_000;

export async function checkCorridor(
  corridor: string,
  parts: Api,
): Promise<z.output<typeof checklistSchema>> {
  const controls = readControls(parts.databases.primary);
  const independence = {
    stream: ofRedis(parts, () => findStreams(corridor, parts)),
    workers: ofRedis(parts, () => findWorkers(corridor, parts)),
    cache: ofRedis(parts, () => findCache(parts)),
    'limit of requests': findLimit('limit-requests', corridorScope(corridor), controls),
    'quota of transactions': findLimit('limit-transactions', corridorScope(corridor), controls),
    controls: findControls(parts),
    breaker: findBreaker(corridor, parts),
    market: findOtherMarkets(parts),
  };
  const launch = {
    reviewers: findReviewers(parts),
    open: findOpen(corridor, controls),
  };
  const own = (await runChecks(independence)).map((check) => ({
    ...check,
    kind: 'independence' as const,
  }));
  const others = (await runChecks(launch)).map((check) => ({ ...check, kind: 'launch' as const }));
  const items = [...own, ...others];
  const hasPassed = (all: typeof items) => all.every(({ passed }) => passed);
  return { corridor, is_independent: hasPassed(own), is_ready: hasPassed(items), items };
}

export const runChecks = (checks: Readonly<Record<string, Found | Promise<Found>>>) =>
  Promise.all(
    Object.entries(checks).map(async ([name, check]) => {
      const [passed, found] = await check;
      return { name, passed, found };
    }),
  );

async function ofRedis({ guards }: Api, find: () => Promise<Found>): Promise<Found> {
  try {
    return await guards.redis.run(find);
  } catch (error) {
    if (isUnavailable(error)) return [false, 'Redis does not answer'];
    throw error;
  }
}

const streamsOfCorridor = (corridor: string, { config, ingest }: Api) =>
  streamsOf(config.RISK_MARKET, [corridor], ingest.shardsOf);

async function findStreams(corridor: string, parts: Api): Promise<Found> {
  const streams = streamsOfCorridor(corridor, parts);
  const types = await Promise.all(
    streams.map(({ transactions }) => parts.redis.type(transactions).catch(throwRedisFailure)),
  );
  const foreign = streams.filter((_, at) => !['stream', 'none'].includes(types[at] ?? ''));
  if (foreign.length > 0) {
    return [false, `${foreign.map(({ transactions }) => transactions).join(', ')}: no stream`];
  }
  const { lags = [] } = parts.readKafka() ?? {};
  const measured = joinLags(
    await measureStreams(parts.redis, streams),
    lags.filter(({ stream }) => stream.corridor === corridor),
    parts.controls.layout.logOf,
  );
  const sum = (of: (figures: (typeof measured)[number]) => number) =>
    measured.reduce((total, check) => total + of(check), 0);
  const waiting = sum(({ lag, pending }) => lag + pending);
  return [
    true,
    `${streams.length} of its own, ${streams[0]?.transactions} the first; ${waiting} transactions wait, ${sum(({ retriesWaiting }) => retriesWaiting)} for a retry`,
  ];
}

async function findWorkers(corridor: string, parts: Api): Promise<Found> {
  const streams = streamsOfCorridor(corridor, parts);
  const consumers = await Promise.all(
    streams.map(({ transactions }) => listConsumers(parts.redis, transactions)),
  );
  const { reports } = await listReports(parts.redis, parts.config.RISK_MARKET);
  const live = new Set(reports.map(({ report }) => report.name));
  // Redis ages a consumer whose stream brings nothing, while its worker reports and reads.
  const workers = consumers
    .flat()
    .map(({ name, idleMs }) => ({ worker: name.replace(/-\d+$/, ''), idleMs }))
    .filter(({ worker, idleMs }) => live.has(worker) || idleMs < READER_IDLE_MS);
  const readers = new Set(workers.map(({ worker }) => worker)).size;
  return [readers > 0, `workers that read its streams: ${readers}`];
}

async function findCache({ redis, config: { RISK_MARKET: market } }: Api): Promise<Found> {
  await claimIdentity(redis, market);
  return [true, `profiles of the market alone, from ${slotTag(market, 0)} on, take writes`];
}

export async function findLimit(
  kind: Kind,
  scope: string,
  controls: Promise<Controls>,
): Promise<Found> {
  const own = (await controls).inForce.get(kind)?.get(scope);
  if (own === undefined) return [false, `none: risk controls set ${kind} ${scope}`];
  return [true, sayValue(own.value)];
}

function findControls({ controls }: Api): Found {
  if (controls.isUnread()) return [false, 'this API process could not read the controls for 5 s'];
  return [true, `read within 5 s, version ${controls.current().version}`];
}

function findBreaker(corridor: string, { guards }: Api): Found {
  const open = guards.health.breakersOf(corridor);
  if (open.length === 0) return [true, `streams:${corridor} is closed, and no other is open`];
  return [false, open.join(', ')];
}

async function findOtherMarkets({ databases, config: { RISK_MARKET } }: Api): Promise<Found> {
  const { markets } = await readReach(databases.primary.query, RISK_MARKET);
  if (markets.length === 0) return [true, `the role of ${RISK_MARKET} reads no other market`];
  return [false, `not separated: the role of ${RISK_MARKET} also reads ${markets.join(', ')}`];
}

export const countReviewers = onlyOf<{ people: number }>(
  'count-reviewers',
  `select count(distinct identity)::int4 as people from market.api_keys
    where identity is not null and revoked_at is null and coalesce(expires_at, 'infinity') > now()
      and roles && '{analyst,risk_officer}'`,
);

async function findReviewers({ databases }: Api): Promise<Found> {
  const { people } = await countReviewers(databases.primary.query);
  const text = `${people} people of the market are analysts or risk officers`;
  return [people >= REVIEWERS_MIN, people >= REVIEWERS_MIN ? text : `${text}: it takes two`];
}

async function findOpen(corridor: string, read: Promise<Controls>): Promise<Found> {
  const controls = await read;
  const closed = stopOf(controls, corridor) ?? freezeOf(controls, corridor);
  return [closed === undefined, closed ? nameOf(closed) : 'neither stopped nor frozen'];
}
