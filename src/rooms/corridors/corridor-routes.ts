/** `/v1/corridors/{id}`: how a corridor does, and its checklist. */
import { z } from 'zod';
import { DEFAULT_SETTINGS, LOGS } from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { compareLogs } from '../../core/store/log-deliveries/log-deliveries.ts';
import { PARTITIONS, topicsOf } from '../../core/stream/kafka/topics.ts';
import { streamsOf } from '../../core/stream/keys.ts';
import { measureStreams } from '../../core/stream/status/lag.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import type { Database } from '../../kit/database/pool.ts';
import { answer, bodyOf, change, read } from '../../kit/http/operation.ts';
import { DECIDING_ROLES, READING_ROLES } from './authority.ts';
import { checkCorridor, checklistSchema } from './checklist.ts';
import {
  addCorridor,
  configureCorridor,
  corridorCommandSchema,
  newCorridorSchema,
  readSettings,
  settingsSchema,
} from './corridor-change.ts';
import { healthOf, healthSchema, readHealth, SLO_MS } from './corridor-health.ts';
import {
  checkMarket,
  drillSchema,
  marketChecklistSchema,
  recordDrill,
  recordedDrillSchema,
  volumeParameters,
} from './market-checklist.ts';
import {
  paths,
  readScopeState,
  readStanding,
  requireKnown,
  scopeStateSchema,
  standingSchema,
} from './standing.ts';

const count = (description: string) => z.int().meta({ description });

const comparisonSchema = z.object({
  received_from: z.iso.datetime(),
  received_to: z.iso.datetime().nullable().meta({ description: 'Null while the log is both.' }),
  equal: count('Transactions that both delivered, in entries of equal bytes.'),
  missing_in_streams: count('Transactions that Kafka alone has delivered yet.'),
  missing_in_kafka: count('Transactions that Streams alone have delivered yet.'),
  differing: count('Transactions that both delivered, in no entry of equal bytes.'),
  elsewhere: count('Transactions in another partition than the shard of their stream.'),
});

const logsSchema = z
  .object({
    corridor: z.string(),
    log: z.enum(LOGS),
    changed_at: z.iso.datetime().nullable(),
    compared: comparisonSchema.nullable().meta({
      description: 'Transactions received while both logs had them; null: the log was never both.',
    }),
  })
  .meta({ id: 'CorridorLogs' });

const toTime = (epochMs: number): string => new Date(epochMs).toISOString();

const corridorSchema = standingSchema
  .extend({
    settings: settingsSchema,
    health: healthSchema,
    availability: z
      .number()
      .nullable()
      .meta({
        description: `Share of the last hour's accepted transactions that were scored within ${SLO_MS} ms, of the newest 2,000 at most. Null: none was due.`,
      }),
    availability_transactions: z.int().meta({ description: 'Transactions looked at for it.' }),
    active_accounts: z.int().meta({ description: 'Accounts with an accepted transaction.' }),
    active_since: z.iso.datetime().meta({
      description:
        'The accounts were counted from here on: a day, or less where the newest 8 MiB of a month reach less far back.',
    }),
  })
  .meta({ id: 'CorridorState' });

async function readCorridor(id: string, parts: Api) {
  const { primary: database, now } = parts.databases;
  const [standing, own, health] = await Promise.all([
    readStanding(id, parts),
    readSettings(database, id),
    readHealth([id], { ...parts, database }, now()),
  ]);
  const [figures] = health;
  if (figures === undefined) throw new Error('figures of a corridor have answered no row');
  return {
    ...standing,
    settings: own,
    health: healthOf({ ...figures.facts, isOpen: standing.state === 'open' }),
    availability: figures.facts.availability,
    availability_transactions: figures.due,
    active_accounts: figures.activeAccounts,
    active_since: figures.activeSince.toISOString(),
  };
}

export const corridorOperations = [
  read({
    at: '/v1/markets/{id}',
    operationId: 'readMarket',
    summary: 'How a market stands: open, frozen or stopped, and what is pending',
    roles: READING_ROLES,
    path: paths.market,
    answers: { 200: answer('The state.', standingSchema) },
    run: ({ path: { id } }, parts: Api) => {
      requireKnown('market', id, parts);
      return readStanding(null, parts);
    },
  }),
  read({
    at: '/v1/markets/{id}/checklist',
    operationId: 'checkMarket',
    summary: 'Whether a market is ready to launch',
    roles: READING_ROLES,
    path: paths.market,
    query: volumeParameters,
    answers: { 200: answer('Each item with what was found.', marketChecklistSchema) },
    run: ({ path: { id }, query }, parts: Api) => {
      requireKnown('market', id, parts);
      return checkMarket(parts, query);
    },
  }),
  change({
    at: '/v1/markets/{id}/drills',
    operationId: 'recordDrill',
    summary: 'Record a drill that people have done, for the checklist of the market',
    roles: DECIDING_ROLES,
    path: paths.market,
    body: bodyOf(drillSchema),
    answers: { 200: answer('The drill as it is in the audit log.', recordedDrillSchema) },
    run: ({ path: { id }, body, by }, parts: Api) => {
      requireKnown('market', id, parts);
      return recordDrill(parts, body, by);
    },
  }),
  change({
    at: '/v1/corridors',
    operationId: 'addCorridor',
    summary: 'Propose a corridor for the market; another person confirms it',
    description: 'Processes take its transactions within seconds of the confirmation.',
    roles: ['risk_officer', 'admin'],
    body: bodyOf(newCorridorSchema),
    answers: { 200: answer('The approval.', approvalSchema) },
    run: ({ body, by }, { databases }: Api) => addCorridor(databases.primary, body, by),
  }),
  change({
    method: 'put',
    at: '/v1/corridors/{id}',
    operationId: 'configureCorridor',
    summary: 'Set what may be set for a corridor; what is left out stays',
    description:
      'Processes act on it within a second of the answer. 409: other `shards` of a corridor that is not frozen or has transactions waiting, a log that needs Kafka where there is none, or a `residency` other than that of the servers.',
    roles: DECIDING_ROLES,
    path: paths.corridor,
    body: bodyOf(corridorCommandSchema),
    answers: { 200: answer('The settings as they are now.', settingsSchema) },
    problems: [404],
    run: async ({ path: { id }, body, by }, parts: Api) => {
      requireKnown('corridor', id, parts);
      const { databases, guards, redis, config, kafka } = parts;
      const { shardsOf } = parts.controls.layout;
      const { RISK_MARKET: market } = config;
      const here = {
        residency: config.RISK_RESIDENCY,
        measure: () =>
          guards.redis.run(() => measureStreams(redis, streamsOf(market, [id], shardsOf))),
        makeTopics:
          kafka && (() => kafka.ensureTopics(Object.values(topicsOf(market, id)), PARTITIONS)),
      };
      const after = await configureCorridor(databases.primary, id, body, by, here);
      parts.log.warn({ keyId: by.keyId, corridor: id, ...after }, 'corridor settings');
      return after;
    },
  }),
  read({
    at: '/v1/corridors/{id}',
    operationId: 'readCorridor',
    summary: 'How a corridor does: open, frozen or stopped, what is pending, its health',
    roles: ['ingest', ...READING_ROLES],
    path: paths.corridor,
    answers: {
      200: answer(
        'How it does; to a key of `ingest` alone only its state and message.',
        z.union([corridorSchema, scopeStateSchema]),
      ),
    },
    run: ({ path: { id }, by }, parts: Api) => {
      requireKnown('corridor', id, parts);
      if (READING_ROLES.some((role) => by.roles.has(role))) return readCorridor(id, parts);
      return readScopeState(id, parts);
    },
  }),
  read({
    at: '/v1/corridors/{id}/logs',
    operationId: 'compareLogs',
    summary: 'What the logs of a corridor delivered while it had both',
    roles: READING_ROLES,
    path: paths.corridor,
    answers: { 200: answer('The log, and transactions by how both delivered them.', logsSchema) },
    run: ({ path: { id } }, parts: Api) => {
      requireKnown('corridor', id, parts);
      return readLogs(parts.databases.primary, id);
    },
  }),
  read({
    at: '/v1/corridors/{id}/checklist',
    operationId: 'checkCorridor',
    summary: 'Whether a corridor is independent of others and ready to launch',
    roles: READING_ROLES,
    path: paths.corridor,
    answers: { 200: answer('Each item with what was found.', checklistSchema) },
    run: ({ path: { id } }, parts: Api) => {
      requireKnown('corridor', id, parts);
      return checkCorridor(id, parts);
    },
  }),
];

/**
 * The log of a corridor, and whether Streams and Kafka have delivered the same while it had both.
 */
async function readLogs(
  { query }: Pick<Database, 'query'>,
  corridor: string,
): Promise<z.output<typeof logsSchema>> {
  const { settings } = await readControls({ query });
  const { log, logChangedAtMs, compared } = settings.get(corridor) ?? DEFAULT_SETTINGS;
  const found = compared && (await compareLogs(query, corridor, compared));
  return {
    corridor,
    log,
    changed_at: logChangedAtMs === null ? null : toTime(logChangedAtMs),
    compared: compared &&
      found && {
        received_from: toTime(compared.fromMs),
        received_to: compared.toMs === null ? null : toTime(compared.toMs),
        ...found,
      },
  };
}
