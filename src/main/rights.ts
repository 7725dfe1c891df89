/** Rights that the stores refuse to their users. A refused right is no outage, and lasts until somebody grants the right. */
import { marketKeys } from '../core/stream/keys.ts';
import { readReach } from '../kit/database/market-reach.ts';
import type { Database } from '../kit/database/pool.ts';
import type { Log } from '../kit/metrics/log.ts';
import { type RedisClient, toRedisFailure } from '../kit/redis/connection.ts';
import { RIGHT_MISSING } from '../kit/redis/outage.ts';
import { Failure, redisRights } from '../kit/words/failure.ts';
import type { Refused } from './http/health.ts';

/** The commands of the engine and of its scripts. */
const COMMANDS =
  `APPEND CLIENT|ID CLIENT|UNBLOCK COPY DEL EVAL EXISTS EXPIRE GET GETRANGE HDEL HGET HGETALL HINCRBY HSET HSETNX
  INFO MEMORY|USAGE MGET PEXPIRE PTTL PUBLISH RENAME SCAN SET SUBSCRIBE TIME TYPE UNLINK XACK XADD XCLAIM XDEL XGROUP|CREATE
  XGROUP|DELCONSUMER XINFO|GROUPS XLEN XPENDING XRANGE XREADGROUP XTRIM ZADD ZCARD ZRANGE ZREM ZREMRANGEBYSCORE ZSCAN`
    .split(/\s+/)
    .map((name) => name.split('|'));
/** Runs none of the commands; the key only chooses the node of a cluster. */
const SCRIPT = `local refused = {}
  for number, words in ipairs(cjson.decode(ARGV[1])) do
    if not redis.acl_check_cmd(unpack(words)) then refused[#refused + 1] = number end
  end
  return refused`;
/** Longer: a right that somebody has granted is shown as missing for longer. Shorter: an idle process asks and logs more often. */
const EVERY_MS = 10_000;

/** Nothing where Redis does not answer. */
export async function refusedByRedis(redis: RedisClient, market: string): Promise<string[]> {
  const { kafkaTries, probe } = marketKeys(market);
  // Keys and a channel, as many as the longest command needs.
  const commands = COMMANDS.map((words) => [...words, probe, probe, probe, probe]);
  const asked = redis.eval(SCRIPT, 1, kafkaTries, JSON.stringify(commands));
  const numbers = await asked.catch(toRedisFailure);
  if (numbers instanceof Failure && numbers.code === RIGHT_MISSING) return [numbers.message];
  if (!Array.isArray(numbers) || numbers.length === 0) return [];
  const names = numbers.map((number) => COMMANDS[number - 1]?.join(' ')).join(', ');
  return [`Redis refuses ${names} to its user: ${redisRights(market)}`];
}

/** Nothing where Postgres does not answer. */
export async function refusedByPostgres({ query }: Database, market: string): Promise<string[]> {
  const { role, refused } = await readReach(query, market).catch(() => ({ role: '', refused: [] }));
  if (refused.length === 0) return [];
  const said = `Postgres refuses ${refused.join(', ')} to ${role}: grant it, or run risk markets grant`;
  return [`${said} ${market} --role ${role}`];
}

/** Asks again and again, and logs each time what is refused. */
export function watchRights(
  probe: Database,
  redis: RedisClient,
  market: string,
  log: Pick<Log, 'warn'>,
): Disposable & { readonly refused: () => Refused } {
  let refused: Refused = { postgres: [], redis: [] };
  const ask = async () => {
    const postgres = await refusedByPostgres(probe, market);
    refused = { postgres, redis: await refusedByRedis(redis, market) };
    for (const refusal of Object.values(refused).flat())
      log.warn({ refusal }, 'a store refuses a right');
  };
  const timer = setInterval(ask, EVERY_MS);
  timer.unref();
  void ask();
  return { refused: () => refused, [Symbol.dispose]: () => clearInterval(timer) };
}
