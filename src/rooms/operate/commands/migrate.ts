/** `risk migrate`: brings the database to the newest schema. Safe to run twice and at the same time. */
import { ensurePartitions, MONTHS_AHEAD } from '../../../core/store/partitions/partitions.ts';
import { apiKeyHash } from '../../../kit/access/api-key.ts';
import { storeBootstrapKey } from '../../../kit/access/api-keys.ts';
import { type Command, EXIT, parseArguments } from '../../../kit/command/command.ts';
import { byCommand, neededUrl, openCommandDatabase } from '../../../kit/command/stores.ts';
import { EXIT_BAD_CONFIGURATION } from '../../../kit/config/config.ts';
import { CORRIDOR_TAKEN, migrate } from '../../../kit/database/migrations/migrate.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { monthOf } from '../../../kit/words/month.ts';

export const command: Command = {
  name: 'migrate',
  summary: 'Brings the database to the newest schema.',
  usage: `risk migrate [--json]

Applies what is missing of sql/, adds RISK_CORRIDORS, which no other market may have, makes the partitions of the coming months and
stores RISK_BOOTSTRAP_KEY. Needs DATABASE_URL; RISK_MARKET names the schema.`,
  needs: ['DATABASE_URL'],
  async run(args, context) {
    const { config, output } = context;
    parseArguments(args, {});
    const market = config.RISK_MARKET;
    const url = neededUrl(config, 'DATABASE_URL');
    const corridors = config.RISK_CORRIDORS?.split(',') ?? [];
    const options = { url, market, corridors, onProgress: output.note };
    const applied = await migrate(options).catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== CORRIDOR_TAKEN) throw error;
      output.error(`RISK_CORRIDORS: ${error.message}`);
    });
    if (applied === undefined) return EXIT_BAD_CONFIGURATION;
    await using database = openCommandDatabase(context, 'migrate');
    const months = comingMonths(Date.now());
    const partitions = await ensurePartitions(database, months, byCommand('migrate'));
    if (config.RISK_BOOTSTRAP_KEY !== undefined) {
      const keyHash = apiKeyHash(config.RISK_BOOTSTRAP_KEY);
      const works = await storeBootstrapKey(database, keyHash, 'risk migrate');
      if (!works) output.note('RISK_BOOTSTRAP_KEY is revoked: remove it or set another value');
    }
    output.value({ market, applied, partitions }, [
      applied.length === 0 ? `${market} is up to date` : `${market}: applied ${applied.join(', ')}`,
      ...(partitions.length === 0 ? [] : [`made ${partitions.join(', ')}`]),
    ]);
    return EXIT.fine;
  },
};

/** Makes the month before this one, too: traffic from before midnight of the first still arrives. */
function comingMonths(nowMs: number): number[] {
  const now = monthOf(nowMs);
  return Array.from({ length: MONTHS_AHEAD + 2 }, (_, at) => now - 1 + at);
}
