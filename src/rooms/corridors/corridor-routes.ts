/** `/v1/corridors/{id}`: how a corridor does, and its checklist. */
import { z } from 'zod';
import { DEFAULT_SETTINGS, LOGS } from '../../core/domain/corridor-settings.ts';
import type { Api } from '../../core/room.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { compareLogs } from '../../core/store/log-deliveries/log-deliveries.ts';
import { PARTITIONS, topicsOf } from '../../core/stream/kafka/topics.ts';
import { streamsOf } from '../../core/stream/keys.ts';
import { measureStreams } from '../../core/stream/status/lag.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import type { Database } from '../../kit/database/pool.ts';
import { answer, bodyOf, operation } from '../../kit/http/operation.ts';
import { AUTHORITY, READING_ROLES } from './authority.ts';
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
  paths,
  readScopeState,
  readStanding,
  requireKnown,
  scopeStateSchema,
  standingExample,
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

const logsExample: z.output<typeof logsSchema> = {
  corridor: 'US-EG',
  log: 'both',
  changed_at: '2026-11-25T09:30:00.000Z',
  compared: {
    received_from: '2026-11-25T09:30:02.000Z',
    received_to: null,
    equal: 1_000_000,
    missing_in_streams: 0,
    missing_in_kafka: 0,
    differing: 0,
    elsewhere: 0,
  },
};

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

const settings = {
  version: 1,
  weight: 2,
  residency: 'EG',
  shards: 16,
  log: 'streams' as const,
  log_changed_at: null,
};
const example = {
  ...standingExample,
  settings,
  health: {
    score: 90,
    parts: { availability: 1, backlog: 1, failures: 1, full_service: 1, open: 0 },
  },
  availability: 0.9995,
  availability_transactions: 2000,
  active_accounts: 812,
  active_since: '2026-11-24T09:30:00.000Z',
};

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
  operation({
    method: 'get',
    at: '/v1/markets/{id}',
    operationId: 'readMarket',
    summary: 'How a market stands: open, frozen or stopped, and what is pending',
    roles: READING_ROLES,
    path: paths.market,
    answers: { 200: answer('The state.', standingSchema, standingExample) },
    problems: [404],
    run: ({ path: { id } }, parts: Api) => {
      requireKnown('market', id, parts);
      return readStanding(null, parts);
    },
  }),
  operation({
    method: 'post',
    at: '/v1/corridors',
    operationId: 'addCorridor',
    summary: 'Propose a corridor for the market; another person confirms it',
    description: 'Processes take its transactions within seconds of the confirmation.',
    roles: AUTHORITY['add a corridor'].roles,
    body: bodyOf(newCorridorSchema, {
      id: 'US-BR',
      shards: 4,
      reason: 'a contract with a bank in Brazil',
    }),
    answers: { 200: answer('The approval.', approvalSchema) },
    problems: [409],
    run: ({ body, by }, { databases }: Api) => addCorridor(databases.primary, body, by),
  }),
  operation({
    method: 'put',
    at: '/v1/corridors/{id}',
    operationId: 'configureCorridor',
    summary: 'Set what may be set for a corridor; what is left out stays',
    description:
      'Processes act on it within a second of the answer. 409: other `shards` of a corridor that is not frozen or has transactions waiting, or a log that needs Kafka where there is none.',
    roles: AUTHORITY['configure a corridor'].roles,
    path: paths.corridor,
    body: bodyOf(corridorCommandSchema, { weight: 2, residency: 'EG', reason: 'pay day' }),
    answers: { 200: answer('The settings as they are now.', settingsSchema, settings) },
    problems: [404, 409],
    run: async ({ path: { id }, body, by }, parts: Api) => {
      requireKnown('corridor', id, parts);
      const { databases, guards, redis, config, kafka } = parts;
      const { shardsOf } = parts.controls.layout;
      const { RISK_MARKET: market } = config;
      const logs = {
        measure: () =>
          guards.redis.run(() => measureStreams(redis, streamsOf(market, [id], shardsOf))),
        makeTopics:
          kafka && (() => kafka.ensureTopics(Object.values(topicsOf(market, id)), PARTITIONS)),
      };
      const after = await configureCorridor(databases.primary, id, body, by, logs);
      parts.log.warn({ keyId: by.keyId, corridor: id, ...after }, 'corridor settings');
      return after;
    },
  }),
  operation({
    method: 'get',
    at: '/v1/corridors/{id}',
    operationId: 'readCorridor',
    summary: 'How a corridor does: open, frozen or stopped, what is pending, its health',
    roles: ['ingest', ...READING_ROLES],
    path: paths.corridor,
    answers: {
      200: answer(
        'How it does; to a key of `ingest` alone only its state and message.',
        z.union([corridorSchema, scopeStateSchema]),
        example,
      ),
    },
    problems: [404],
    run: ({ path: { id }, by }, parts: Api) => {
      requireKnown('corridor', id, parts);
      if (READING_ROLES.some((role) => by.roles.has(role))) return readCorridor(id, parts);
      return readScopeState(id, parts);
    },
  }),
  operation({
    method: 'get',
    at: '/v1/corridors/{id}/logs',
    operationId: 'compareLogs',
    summary: 'What the logs of a corridor delivered while it had both',
    roles: READING_ROLES,
    path: paths.corridor,
    answers: {
      200: answer('The log, and transactions by how both delivered them.', logsSchema, logsExample),
    },
    problems: [404],
    run: ({ path: { id } }, parts: Api) => {
      requireKnown('corridor', id, parts);
      return readLogs(parts.databases.primary, id);
    },
  }),
  operation({
    method: 'get',
    at: '/v1/corridors/{id}/checklist',
    operationId: 'checkCorridor',
    summary: 'Whether a corridor is independent of others and ready to launch',
    roles: READING_ROLES,
    path: paths.corridor,
    answers: {
      200: answer('Each item with what was found.', checklistSchema, {
        corridor: 'US-EG',
        is_independent: false,
        is_ready: false,
        items: [
          {
            name: 'limit of requests',
            kind: 'independence' as const,
            passed: false,
            found: 'none: risk controls set limit-requests corridor:US-EG',
          },
        ],
      }),
    },
    problems: [404],
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
