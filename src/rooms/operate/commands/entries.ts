/**
 * `risk entries`: stream entries that no running worker can read, as after a release was rolled back. Giving
 * them up makes a dead letter of each before it leaves its stream, and a recovery then reads its transactions
 * from Postgres.
 */
import { DEAD_LETTER_ENTRY_CHARS_MAX, type DeadLetter } from '../../../core/domain/dead-letter.ts';
import { insertDeadLetters } from '../../../core/store/dead-letters/dead-letters.ts';
import { listCorridors } from '../../../core/store/transactions/corridors.ts';
import {
  dropHandedOver,
  type KeptEntry,
  listHandedOver,
  readHandedOver,
} from '../../../core/stream/group/handed-over.ts';
import { SHARDS_MAX, type StreamKeys, streamsOf } from '../../../core/stream/keys.ts';
import { type Command, EXIT, parseArguments, UsageError } from '../../../kit/command/command.ts';
import { openCommandDatabase, openCommandRedis } from '../../../kit/command/stores.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';

/** Entries of one commit; each has at most 16 KiB in its dead letter. */
const PAGE_ENTRIES = 100;

export const command: Command = {
  name: 'entries',
  summary: 'Shows entries that no worker reads, and gives them up.',
  usage: `risk entries [give-up VERSION --yes]

Stream entries that wait for a worker that reads their version, by stream. Workers of that version take them within a
second. give-up is for when there will be none again: each becomes a dead letter and leaves its stream, and within a
minute the reconciler appends what it held from Postgres, as workers of now read it. Needs DATABASE_URL and REDIS_URL.

  --yes  needed by give-up: it is meant

Example: risk entries give-up 3 --yes
`,
  needs: ['DATABASE_URL', 'REDIS_URL'],
  async run(args, context) {
    const { output, signal } = context;
    const options = { yes: { type: 'boolean' } } as const;
    const { values, positionals } = parseArguments(args, options, { required: [], max: 2 });
    const version = readVersion(positionals, values.yes === true);
    await using database = openCommandDatabase(context, 'entries');
    using connection = await openCommandRedis(context);
    const { redis } = connection;
    const corridors = await listCorridors(database);
    const streams = streamsOf(context.config.RISK_MARKET, corridors, () => SHARDS_MAX);
    if (version === undefined) {
      const found = await Promise.all(streams.map(listIn(redis)));
      output.table(['stream', 'version', 'entries'], found.flat());
      return EXIT.fine;
    }
    let entries = 0;
    for (const stream of streams) entries += await giveUp(database, redis, stream, version, signal);
    output.value({ version, given_up: entries }, [
      `${entries} entries of version ${version} given up`,
    ]);
    return signal.aborted ? EXIT.failed : EXIT.fine;
  },
};

function readVersion([action, version]: readonly string[], isMeant: boolean): string | undefined {
  if (action === undefined) return undefined;
  if (action !== 'give-up') throw new UsageError(`the action must be give-up, not '${action}'`);
  if (!/^[1-9]\d{0,3}$/.test(version ?? ''))
    throw new UsageError(`give-up needs a version, as 3, not '${version ?? ''}'`);
  if (!isMeant) throw new UsageError('give-up needs --yes');
  return version;
}

const listIn = (redis: RedisClient) => async (stream: StreamKeys) =>
  (await listHandedOver(redis, stream)).map((row) => ({ stream: stream.transactions, ...row }));

async function giveUp(
  database: Database,
  redis: RedisClient,
  stream: StreamKeys,
  version: string,
  signal: AbortSignal,
): Promise<number> {
  const waits = (await listHandedOver(redis, stream)).some((one) => one.version === version);
  for (let given = 0; ; ) {
    if (!waits || signal.aborted) return given;
    const page = await readHandedOver(redis, stream, version, PAGE_ENTRIES);
    if (page.length === 0) return given;
    await insertDeadLetters(database, page.map(toDeadLetter(stream, version)));
    const ids = page.map(({ id }) => id);
    given += await dropHandedOver(redis, stream, version, ids);
  }
}

function toDeadLetter({ corridor, transactions }: StreamKeys, version: string) {
  return ({ id, packed }: KeptEntry): DeadLetter => ({
    transactionId: null,
    createdAtMs: null,
    accountId: null,
    corridor,
    stream: transactions,
    entryId: id,
    rowId: null,
    attempts: 1,
    errorCode: 'ENTRY_VERSION_GIVEN_UP',
    error: `entries of version ${version} were given up by an operator`,
    entry: (packed?.toString('base64') ?? '').slice(0, DEAD_LETTER_ENTRY_CHARS_MAX),
    failedAtMs: Date.now(),
  });
}
