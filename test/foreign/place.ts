/** The market, keys and corridor that the main way makes in stores of anybody: they are named first, and removed afterwards. */
import { randomBytes } from 'node:crypto';
import { openCommands, untilReady, writableNodes } from '../../src/kit/redis/connection.ts';
import { Failure, toError } from '../../src/kit/words/failure.ts';
import { removeKeys } from '../../src/rooms/archive/remove-keys.ts';
import { askPostgres } from '../support/standby.ts';

const REDIS_MS = 5000;
/** A drop waits for sessions of processes that are being ended. */
const LOCK_WAIT = `set local lock_timeout = '30s'`;

export type Stores = { readonly databaseUrl: string; readonly redisUrl: string };

type Claim = { readonly corridor: string; readonly market: string | null };

export type Place = Stores & {
  readonly market: string;
  /** A corridor that no market has: of two codes that ISO 3166 gives to no country. */
  readonly corridor: string;
  /** Corridors before the run; null where there was no schema `shared`. */
  readonly claims: readonly Claim[] | null;
};

const UNUSED = Array.from({ length: 26 }, (_, at) => `QM-X${String.fromCodePoint(65 + at)}`);

const patternsOf = (market: string) => [`${market}:*`, `{${market}:*`];

async function withRedis<T>(
  { redisUrl }: Stores,
  work: (redis: ReturnType<typeof openCommands>) => Promise<T>,
): Promise<T> {
  const redis = openCommands(redisUrl, REDIS_MS);
  try {
    await untilReady(redis, REDIS_MS);
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

export async function countKeys(stores: Stores, market: string): Promise<number> {
  return await withRedis(stores, async (redis) => {
    let count = 0;
    for (const node of writableNodes(redis)) {
      for (const match of patternsOf(market)) {
        for await (const page of node.scanStream({ match, count: 1000 })) count += page.length;
      }
    }
    return count;
  });
}

async function hasSchema(url: string, name: string): Promise<boolean> {
  const found = await askPostgres(url, 'select from pg_namespace where nspname = $1', [name]);
  return found.length > 0;
}

async function readClaims(url: string): Promise<readonly Claim[] | null> {
  if (!(await hasSchema(url, 'shared'))) return null;
  return await askPostgres<Claim>(url, 'select corridor, market from shared.corridors order by 1');
}

/**
 * Chooses a market and a corridor that nobody has.
 * @throws Failure where the market is there already, or a store cannot be asked
 */
export async function choosePlace(
  stores: Stores,
  market = `foreign_${randomBytes(4).toString('hex')}`,
): Promise<Place> {
  const { databaseUrl } = stores;
  const isTaken = await hasSchema(databaseUrl, market).catch((error: unknown) => {
    throw new Failure('unavailable', 'NO_DATABASE', `--database-url: ${toError(error).message}`);
  });
  const keys = await countKeys(stores, market).catch((error: unknown) => {
    throw new Failure('unavailable', 'NO_REDIS', `--redis-url: ${toError(error).message}`);
  });
  if (isTaken || keys > 0) {
    const what = isTaken ? 'the schema' : `${keys} keys of the market`;
    throw new Failure('conflict', 'TAKEN', `${what} ${market} is there already; nothing was done`);
  }
  const claims = await readClaims(databaseUrl);
  const corridor = UNUSED.find((name) => !claims?.some((claim) => claim.corridor === name));
  if (corridor === undefined)
    throw new Failure('conflict', 'NO_CORRIDOR', `${UNUSED[0]} to ${UNUSED.at(-1)} are taken`);
  return { ...stores, market, corridor, claims };
}

/** Sentences that say what a run makes. */
export function describePlace({ databaseUrl, redisUrl, market, corridor, claims }: Place) {
  const { host, pathname } = new URL(databaseUrl);
  const shared =
    claims === null
      ? 'and the schema shared, which is not there yet'
      : `and the corridor ${corridor} in shared.corridors`;
  const [node = ''] = redisUrl.split(',');
  return [
    `makes in Postgres ${host}${pathname}: the schema ${market}, ${shared}`,
    `makes in Redis ${new URL(node).host}: keys ${patternsOf(market).join(' and ')}`,
    'removes all of this afterwards',
  ];
}

/** Removes what a run has made. @returns sentences that say what was removed, and what had to stay */
export async function removePlace(place: Place): Promise<string[]> {
  const { databaseUrl, market } = place;
  const keys = await withRedis(place, (redis) => removeKeys(redis, market));
  const said = [`removed ${keys} keys`];
  const drop = async (schema: string) => {
    if (!(await hasSchema(databaseUrl, schema))) return;
    await askPostgres(
      databaseUrl,
      `begin read write; ${LOCK_WAIT}; drop schema "${schema}" cascade; commit`,
    );
    said.push(`removed the schema ${schema}`);
  };
  await drop(market);
  const now = await readClaims(databaseUrl);
  if (now === null) return said;
  if (place.claims !== null) {
    await giveBack(place, place.claims);
    return said;
  }
  const others = new Set(now.map((claim) => claim.market).filter((owner) => owner !== market));
  if (others.size === 0) await drop('shared');
  else said.push(`left the schema shared, as ${[...others].join(', ')} uses it by now`);
  return said;
}

/** A migration takes corridors that no market has, so the run gives them back. */
async function giveBack({ databaseUrl, market }: Place, claims: readonly Claim[]): Promise<void> {
  const before = claims.map(({ corridor }) => corridor);
  const made = 'market = $1 and corridor <> all ($2)';
  const removed = [market, before];
  await askPostgres(databaseUrl, `delete from shared.corridors where ${made}`, removed);
  const free = claims.filter((claim) => claim.market === null).map(({ corridor }) => corridor);
  const taken = 'market = $1 and corridor = any ($2)';
  const returned = [market, free];
  await askPostgres(
    databaseUrl,
    `update shared.corridors set market = null where ${taken}`,
    returned,
  );
}
