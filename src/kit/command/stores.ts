/** The stores that a command works on itself. */
import type { Config } from '../config/config.ts';
import { openDatabase } from '../database/open-database.ts';
import type { Database, PoolOptions } from '../database/pool.ts';
import { openCommands, type RedisClient, untilReady } from '../redis/connection.ts';
import { Failure, type StoreSetting } from '../words/failure.ts';
import type { Actor } from '../words/principal.ts';
import { URL_MISSING } from './command.ts';

type Context = { readonly config: Config };

/** @param name of the command, as Postgres shows it */
export function openCommandDatabase(
  { config }: Context,
  name: string,
  options: Partial<PoolOptions> = {},
): Database {
  return openDatabase(config, neededUrl(config, 'DATABASE_URL'), name, {
    connectionsMax: 1,
    ...options,
  });
}

export async function openCommandRedis({
  config,
}: Context): Promise<Disposable & { readonly redis: RedisClient }> {
  const redis = openCommands(neededUrl(config, 'REDIS_URL'), config.RISK_REDIS_TIMEOUT_MS);
  try {
    await untilReady(redis, config.RISK_REDIS_TIMEOUT_MS);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return { redis, [Symbol.dispose]: () => redis.disconnect() };
}

/** The author of a change by a command: the database role, as the command has no key. */
export const byCommand = (words: string): Actor => ({
  name: null,
  keyId: null,
  request: `risk ${words}`,
});

/** URL of the role that migrates and makes markets: the owner role, or without one the only role there is. */
export const ownerUrl = (config: Config): string =>
  config.RISK_ADMIN_DATABASE_URL ?? neededUrl(config, 'DATABASE_URL');

/** @throws Failure where it is not set, which ends the command as a bad configuration */
export function neededUrl(
  config: Config,
  name: Exclude<StoreSetting, 'DATABASE_REPLICA_URL'>,
): string {
  const url = config[name];
  if (url === undefined)
    throw new Failure(
      'invalid',
      URL_MISSING,
      `${name} is needed: set it, or run \`npm start\`, which has stores of its own`,
    );
  return url;
}
