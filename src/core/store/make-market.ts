/** Makes a market, or brings one to the newest schema. */
import type { Config } from '../../kit/config/config.ts';
import { giveToOwner } from '../../kit/database/migrations/market-owner.ts';
import { migrate } from '../../kit/database/migrations/migrate.ts';
import { alone, connected } from '../../kit/database/migrations/migration-session.ts';
import { isPooled, openDatabase } from '../../kit/database/open-database.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import { monthOf } from '../../kit/words/month.ts';
import type { Actor } from '../../kit/words/principal.ts';
import { ensurePartitions, MONTHS_AHEAD } from './partitions/partitions.ts';

export type MarketMaking = {
  readonly config: Config;
  /** URL of the role that migrates. */
  readonly url: string;
  readonly market: string;
  readonly corridors: readonly string[];
  readonly by: Actor;
  readonly onProgress: (text: string) => void;
};

/**
 * Brings a market to the newest schema: its tables, its corridors, and the partitions of the months to come.
 * May be run again, and beside running processes.
 * @param finish runs on the market once it has its tables
 */
export async function makeMarket(
  { config, url, market, corridors, by, onProgress }: MarketMaking,
  finish: (database: Database) => Promise<void>,
) {
  const session = { url, market, isPooled: isPooled(config), onProgress };
  const applied = await migrate({ ...session, corridors });
  await using database = openDatabase(config, url, 'migrate', { market, connectionsMax: 1 });
  const partitions = await ensurePartitions(database, comingMonths(Date.now()), by);
  await finish(database);
  await connected(session, (client) =>
    alone(client, session, 'ownership', () => giveToOwner(client, market)),
  );
  return { applied, partitions };
}

const findUnfinished = onlyOf<{ is: boolean }>(
  'find-unfinished-restore',
  `select to_regclass('market.unfinished_restore') is not null as is`,
);

/** Whether a restore of the market from an archive is unfinished. */
export const isBeingRestored = async (query: Query): Promise<boolean> =>
  (await findUnfinished(query)).is;

/** @throws Failure while the market is being restored, as nothing may serve or migrate the market then */
export async function refuseUnfinished(query: Query): Promise<void> {
  if (!(await isBeingRestored(query))) return;
  const why =
    'the market is being restored; where that was ended, give `risk archive restore-market` again';
  throw new Failure('unavailable', 'RESTORE_UNFINISHED', why);
}

/** Makes the month before this one, too: traffic from before midnight of the first still arrives. */
function comingMonths(nowMs: number): number[] {
  const now = monthOf(nowMs);
  return Array.from({ length: MONTHS_AHEAD + 2 }, (_, at) => now - 1 + at);
}
