/**
 * Entries of versions that not every worker reads, as while a release replaces another. A worker hands such an entry over: the
 * entry stays pending, without a counted delivery, for a consumer that stands for the version, and workers that read the
 * version take it from there.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { decodeEntry, ENTRY_VERSIONS } from '../entries/entry.ts';
import { GROUP } from '../keys.ts';
import { loadScript, runOnStreams } from '../scripts.ts';
import type { StreamEntry } from './read-group.ts';

/** Versions that this release reads; a test gives a worker the versions of the next release. */
export const ENTRY_READER = { versions: ENTRY_VERSIONS, decode: decodeEntry };
export type EntryReader = Readonly<typeof ENTRY_READER>;

/** The scripts spell the name in the same way. */
export function consumerOfVersion(version: string): string {
  return `for-version-${version}`;
}

export function versionOfConsumer(name: string): string | undefined {
  return /^for-version-(\d+)$/.exec(name)?.[1];
}

const script = loadScript('hand-over-1');

/**
 * Hands over entries that their consumers cannot read. An entry that is no longer the consumer's stays where it is; one of a
 * failing stream is claimed once it is stale.
 * @throws Failure
 */
export async function handEntriesOver(
  redis: RedisClient,
  entries: readonly Pick<StreamEntry, 'id' | 'version' | 'stream' | 'consumer'>[],
): Promise<void> {
  const groups = Map.groupBy(entries, (one) => `${one.stream.transactions} ${one.consumer}`);
  const calls = Array.from(groups.values(), (group) => {
    const [{ stream, consumer }] = group as [StreamEntry];
    const owners = group.flatMap(({ id, version }) => [id, consumerOfVersion(version ?? '')]);
    return { keys: [stream.transactions], args: [GROUP, consumer, ...owners] };
  });
  await runOnStreams(redis, script, calls);
}
