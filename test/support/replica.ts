/** A replica of a test's Redis that lags, and takes over with its data. */
import type { RedisClient } from '../../src/kit/redis/connection.ts';
import type { TestService } from './services.ts';
import { waitUntil } from './wait-until.ts';

const SYNC_MS_MAX = 30_000;

/** Makes `replica` hold what `master` holds now. */
export async function copyNow(
  replica: RedisClient,
  master: Pick<TestService, 'url'>,
): Promise<void> {
  await follow(replica, master);
  await replica.call('replicaof', ['no', 'one']);
}

/**
 * The connections of `master` stay while its data becomes that of `replica`, as after two failovers: the old master
 * follows the promoted replica, and is promoted again.
 */
export async function takeOver(master: RedisClient, replica: Pick<TestService, 'url'>) {
  await copyNow(master, replica);
}

/** Makes a server follow another one, and waits until it has its data. */
export async function follow(
  follower: RedisClient,
  { url }: Pick<TestService, 'url'>,
): Promise<void> {
  const { hostname, port, password } = new URL(url);
  await follower.call('config', ['set', 'masterauth', password]);
  await follower.call('replicaof', [hostname, port]);
  await waitUntil(
    async () => /master_link_status:up/.test(String(await follower.call('info', ['replication']))),
    SYNC_MS_MAX,
    'the replica to be in step',
  );
}
