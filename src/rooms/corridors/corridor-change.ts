/** Adds a corridor to the market and sets what may be set for one, with the row of the audit log in the same commit. */
import { z } from 'zod';
import { freezeOf } from '../../core/domain/control.ts';
import {
  type CorridorSettings,
  DEFAULT_SETTINGS,
  LOGS,
  residencyProblem,
  TAG_CHARS_MAX,
  WEIGHT_MAX,
  WEIGHT_MIN,
} from '../../core/domain/corridor.ts';
import type { Api } from '../../core/room.ts';
import { lockControls, readControls } from '../../core/store/controls/controls.ts';
import { changeCorridor, readByAll } from '../../core/store/corridors/settings.ts';
import { countOpen } from '../../core/store/open-rows/open-rows.ts';
import { SHARDS_MAX } from '../../core/stream/keys.ts';
import type { StreamLag } from '../../core/stream/status/lag.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import { corridorParameter } from '../../kit/words/list-parameters.ts';
import { plainText, reasonField } from '../../kit/words/plain-text.ts';
import type { Officer } from '../../kit/words/principal.ts';

const shards = z.int().min(1).max(SHARDS_MAX).meta({
  description:
    'Streams that the corridor is divided into, by account. A change needs a frozen corridor with nothing waiting.',
});

export const newCorridorSchema = z
  .strictObject({
    id: corridorParameter.meta({
      description: 'Source country - destination country.',
      example: 'US-BR',
    }),
    shards: shards.default(1),
    reason: reasonField,
  })
  .meta({ id: 'NewCorridor' });

const settingFields = {
  weight: z.number().min(WEIGHT_MIN).max(WEIGHT_MAX).meta({
    description:
      "Factor of the corridor's part of a worker's batch beside other busy corridors, and of what a drain leaves to it.",
  }),
  residency: plainText(TAG_CHARS_MAX).nullable().meta({
    description:
      'Where data of the corridor must stay. Processes whose `RISK_RESIDENCY` has other tags refuse the corridor.',
  }),
  region: plainText(TAG_CHARS_MAX).nullable().meta({
    description: 'Region of the corridor in figures and alerts; null: its source country.',
  }),
  log: z.enum(LOGS).meta({
    description:
      'Where entries are appended and events published: Redis Streams, Kafka, or both. Workers read what waits in either log.',
  }),
  shards,
};

export const corridorCommandSchema = z
  .strictObject({
    weight: settingFields.weight.optional(),
    residency: settingFields.residency.optional(),
    region: settingFields.region.optional(),
    shards: settingFields.shards.optional(),
    log: settingFields.log.optional(),
    reason: reasonField,
  })
  .meta({ id: 'CorridorCommand' });
type CorridorCommand = z.output<typeof corridorCommandSchema>;

export const settingsSchema = z
  .object({
    version: z.int().meta({ description: 'Ascends by one a change; 0: nothing was set.' }),
    ...settingFields,
    log_changed_at: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'The last change of `log`; null: none.' }),
  })
  .meta({ id: 'CorridorSettings' });
type SettingsJson = z.output<typeof settingsSchema>;

/** @throws Failure where the market has the corridor */
export async function addCorridor(
  database: Database,
  { id, shards, reason }: z.output<typeof newCorridorSchema>,
  by: Officer,
): Promise<Approval> {
  return await database.transaction((query) =>
    changeCorridor(query, id, async ({ isOurs }) => {
      if (isOurs) throw new Failure('conflict', 'CORRIDOR_KNOWN', `the market has ${id} already`);
      const detail = { corridor: id, shards };
      return await propose(query, { kind: 'corridor', subject: id, detail, reason }, by);
    }),
  );
}

const askedSchema = z.object({ shards: z.int() });

/** Adds the corridor that another person confirms. */
export const executeCorridor: Execute<Api> = async (query, approval, by, { config }) => {
  const { subject: id, detail, reason } = approval;
  const { shards } = askedSchema.parse(detail);
  const market = config.RISK_MARKET;
  await changeCorridor(query, id, async ({ claim }) => {
    const owner = await claim(market, shards, by.name);
    if (owner === market) return;
    throw new Failure('conflict', 'CORRIDOR_TAKEN', `${id} is a corridor of ${owner}`);
  });
  const after = { shards, reason };
  await recordChange(query, by, { action: 'corridor.add', subject: id, before: null, after });
  return after;
};

export const readSettings = async (database: Pick<Database, 'query'>, corridor: string) =>
  toJson((await readControls(database)).settings.get(corridor) ?? DEFAULT_SETTINGS);

const toJson = ({ logChangedAtMs, compared: _, ...settings }: CorridorSettings): SettingsJson => ({
  ...settings,
  log_changed_at: logChangedAtMs === null ? null : new Date(logChangedAtMs).toISOString(),
});

/** A change of a corridor asks this of the process. */
type Here = {
  /** Tags of its servers. */
  readonly residency: readonly string[];
  /** Measures the streams that the corridor has now. */
  readonly measure: () => Promise<readonly StreamLag[]>;
  /** Makes the topics of the corridor; undefined where this process knows no Kafka. */
  readonly makeTopics: (() => Promise<void>) | undefined;
};

/** Fields that the command leaves out stay as they are. */
export async function configureCorridor(
  database: Database,
  corridor: string,
  { weight, residency, region, shards, log, reason }: CorridorCommand,
  by: Officer,
  { measure, makeTopics, residency: here }: Here,
): Promise<SettingsJson> {
  const misplaced = residencyProblem(corridor, { residency: residency ?? null }, here);
  if (misplaced !== undefined) {
    throw new Failure('conflict', 'RESIDENCY_ELSEWHERE', `residency: ${misplaced}`);
  }
  if (log !== undefined && log !== 'streams') {
    const why = `log: ${log} needs Kafka, and KAFKA_URL is not set at this API; allowed is streams`;
    if (makeTopics === undefined) throw new Failure('conflict', 'KAFKA_MISSING', why);
    await makeTopics();
  }
  return await database.transaction((query) =>
    changeCorridor(query, corridor, async ({ set }) => {
      await lockControls(query);
      const controls = await readControls({ query });
      const before = controls.settings.get(corridor) ?? DEFAULT_SETTINGS;
      if (shards !== undefined && shards !== before.shards) {
        const frozenAt = freezeOf(controls, corridor)?.set_at;
        await requireEmpty(query, corridor, frozenAt, await measure());
      }
      const after = {
        shards: shards ?? before.shards,
        weight: weight ?? before.weight,
        log: log ?? before.log,
        residency: residency === undefined ? before.residency : residency,
        region: region === undefined ? before.region : region,
      };
      await set(after, by.name);
      await recordChange(query, by, {
        action: 'corridor.configure',
        subject: corridor,
        before,
        after: { ...after, reason },
      });
      return await readSettings({ query }, corridor);
    }),
  );
}

/** An account's transactions would be in two streams. @throws Failure with what waits */
async function requireEmpty(
  query: Query,
  corridor: string,
  frozenAt: string | undefined,
  lags: readonly StreamLag[],
): Promise<void> {
  const isFrozen = frozenAt !== undefined && (await readByAll(query, frozenAt)).isRead;
  const state = frozenAt === undefined ? 'open' : `frozen since ${frozenAt}`;
  const pending = await countOpen(query, corridor);
  const sum = (of: (lag: StreamLag) => number) => lags.reduce((total, lag) => total + of(lag), 0);
  const waiting = sum((shard) => shard.lag + shard.pending);
  const retries = sum((shard) => shard.retriesWaiting);
  if (isFrozen && pending + waiting + retries === 0) return;
  const why = `shards: a change needs a corridor with nothing waiting that has been frozen for 2 s; ${corridor} is ${state} and has pending transactions: ${pending}, in streams: ${waiting}, in retries: ${retries}`;
  throw new Failure('conflict', 'CORRIDOR_NOT_EMPTY', why);
}
