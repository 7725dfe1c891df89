/** The log of a corridor, and whether Streams and Kafka have delivered the same while it had both. */
import { z } from 'zod';
import { DEFAULT_SETTINGS, LOGS } from '../../core/domain/corridor-settings.ts';
import { compareLogs } from '../../core/store/log-deliveries/log-deliveries.ts';
import { readSwitches } from '../../core/store/switches/switches.ts';
import type { Database } from '../../kit/database/pool.ts';

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

export const logsSchema = z
  .object({
    corridor: z.string(),
    log: z.enum(LOGS),
    changed_at: z.iso.datetime().nullable(),
    compared: comparisonSchema.nullable().meta({
      description: 'Transactions received while both logs had them; null: the log was never both.',
    }),
  })
  .meta({ id: 'CorridorLogs' });

export const logsExample: z.output<typeof logsSchema> = {
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

export async function readLogs(
  { query }: Pick<Database, 'query'>,
  corridor: string,
): Promise<z.output<typeof logsSchema>> {
  const { settings } = await readSwitches({ query });
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
        equal: found.equal,
        missing_in_streams: found.missingInStreams,
        missing_in_kafka: found.missingInKafka,
        differing: found.differing,
        elsewhere: found.elsewhere,
      },
  };
}

const toTime = (epochMs: number): string => new Date(epochMs).toISOString();
