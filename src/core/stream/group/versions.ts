/**
 * Entries of versions that not every worker reads, as while a release replaces another. A worker hands such an
 * entry over: it stays pending, without a counted delivery, for a consumer that stands for the version instead
 * of a process. Workers that read the version take it from there; other workers leave it alone.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import {
  type DecodedEntry,
  decodeEntry,
  ENTRY_VERSIONS,
  type EntryFields,
} from '../entries/entry.ts';
import { identify } from '../entries/entry-ids.ts';
import { GROUP } from '../keys.ts';
import { loadScript, runOnStreams } from '../scripts.ts';

/** The versions of entries that a release reads. */
export type EntryReader = {
  readonly versions: readonly string[];
  /** Checks and reads an entry of one of these versions; throws a permanent Failure that says what is wrong with it. */
  readonly decode: (fields: EntryFields) => DecodedEntry;
  /** Transactions in the packed value of an entry that cannot be decoded. */
  readonly identify: (packed: Buffer) => string[];
};

export const ENTRY_READER: EntryReader = {
  versions: ENTRY_VERSIONS,
  decode: decodeEntry,
  identify,
};

/** The scripts spell the name in the same way. */
export function consumerOfVersion(version: string): string {
  return `for-version-${version}`;
}

export function versionOfConsumer(name: string): string | undefined {
  return /^for-version-(\d+)$/.exec(name)?.[1];
}

/** Entries of one stream that one consumer holds and cannot read. */
export type HandOver = {
  readonly stream: string;
  readonly consumer: string;
  readonly entries: readonly { readonly id: string; readonly version: string }[];
};

const script = loadScript('hand-over-1');

/**
 * An entry that is no longer the consumer's stays where it is; one that stays with us in a failing stream is claimed once it is
 * stale. Throws a Failure.
 */
export async function handEntriesOver(
  redis: RedisClient,
  handOvers: readonly HandOver[],
): Promise<void> {
  const calls = handOvers.map(({ stream, consumer, entries }) => {
    const owners = entries.flatMap(({ id, version }) => [id, consumerOfVersion(version)]);
    return { keys: [stream], args: [GROUP, consumer, ...owners] };
  });
  await runOnStreams(redis, script, calls);
}
