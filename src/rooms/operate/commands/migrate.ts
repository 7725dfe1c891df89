/** `risk migrate`: brings the database to the newest schema. Safe to run twice and at the same time. */
import { makeMarket, refuseUnfinished } from '../../../core/store/make-market.ts';
import { apiKeyHash } from '../../../kit/access/api-key.ts';
import { storeBootstrapKey } from '../../../kit/access/api-keys.ts';
import { EXIT } from '../../../kit/command/command.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
import { byCommand, ownerUrl } from '../../../kit/command/stores.ts';
import { EXIT_BAD_CONFIGURATION } from '../../../kit/config/config.ts';
import { CORRIDOR_TAKEN } from '../../../kit/database/migrations/migrate.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';

const APPLIES =
  'Applies what is missing of sql/, adds RISK_CORRIDORS, which no other market may have, makes the partitions of the coming months and stores RISK_BOOTSTRAP_KEY';
const migrate = written('', APPLIES, {}, async (_given, { config, output }) => {
  const market = config.RISK_MARKET;
  {
    await using database = openDatabase(config, ownerUrl(config), 'migrate', { market });
    await refuseUnfinished(database.query);
    await refuseArchived(database.query, market);
  }
  const making = {
    config,
    url: ownerUrl(config),
    market,
    corridors: config.RISK_CORRIDORS?.split(',') ?? [],
    by: byCommand('migrate'),
    onProgress: output.note,
  };
  const made = await makeMarket(making, async (database) => {
    if (config.RISK_BOOTSTRAP_KEY === undefined) return;
    const keyHash = apiKeyHash(config.RISK_BOOTSTRAP_KEY);
    const works = await storeBootstrapKey(database, keyHash, 'risk migrate');
    if (!works) output.note('RISK_BOOTSTRAP_KEY is revoked: remove it or set another value');
  }).catch((error: unknown) => {
    if (!(error instanceof Failure) || error.code !== CORRIDOR_TAKEN) throw error;
    output.error(`RISK_CORRIDORS: ${error.message}`);
  });
  if (made === undefined) return EXIT_BAD_CONFIGURATION;
  const { applied, partitions } = made;
  output.value({ market, applied, partitions }, [
    applied.length === 0 ? `${market} is up to date` : `${market}: applied ${applied.join(', ')}`,
    ...(partitions.length === 0 ? [] : [`made ${partitions.join(', ')}`]),
  ]);
  return EXIT.fine;
});

const mayBeArchived = onlyOf<{ is: boolean }>(
  'may-market-be-archived',
  `select to_regclass('market.schema_migrations') is null and to_regclass('shared.archived_markets') is not null as "is"`,
);

const findArchive = firstOf<{ location: string }, [market: string]>(
  'find-archive-of-market',
  'select location from shared.archived_markets where market = $1 and restored_at is null order by begun_at desc limit 1',
);

/** @throws Failure where the market is archived, as an empty market would block the restore */
async function refuseArchived(query: Query, market: string): Promise<void> {
  const archive = (await mayBeArchived(query)).is ? await findArchive(query, market) : undefined;
  if (archive === undefined) return;
  const why = `${market} was rolled back: \`risk archive restore-market ${archive.location}\` brings it back, and \`risk markets create ${market}\` makes an empty one`;
  throw new Failure('conflict', 'MARKET_ARCHIVED', why);
}

export const command = commandOf({
  name: 'migrate',
  summary: 'Brings the database to the newest schema.',
  needs: ['DATABASE_URL'],
  notes: 'Needs RISK_ADMIN_DATABASE_URL or DATABASE_URL; RISK_MARKET names the schema.',
  actions: { '': migrate },
});
