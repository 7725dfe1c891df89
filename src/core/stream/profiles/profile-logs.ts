/**
 * Profiles in Redis (L2): a log a party, to which every worker appends what it folds (profile/profile.ts has the bytes). A
 * batch's appends are one script call, or one a hash slot on a cluster, all in one round trip.
 */
import { callsOf, throwRedisFailure, writableNodes } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { hashText } from '../../profile/packed-list.ts';
import { profileCopyKey, profileHistoryKey } from '../keys.ts';
import type { MarketInRedis, MemoryWatch } from '../memory/memory.ts';
import {
  loadScript,
  runScripts,
  type Script,
  type ScriptCall,
  type ScriptOptions,
} from '../scripts.ts';
import { invalidateProfiles, type Party } from './invalidate-profiles.ts';
import { adoptNode } from './server-history.ts';

/** A position up to which a log is known: its length there, and the stamp in front of it. */
export type KnownEnd = { readonly length: number; readonly high: number; readonly low: number };

type LogKey = { readonly key: string; readonly slot: number };

export type LogAppend = LogKey & {
  /** The caller's position in the log; null for none. */
  readonly known: KnownEnd | null;
  /** Empty to read only. */
  readonly block: Uint8Array;
  readonly isToRenew: boolean;
};

/**
 * The part of a log that the caller lacks, without the block that it appended itself: nothing, the bytes
 * `since` its position, the `whole` log, or everything as the log was `absent`. `later`: nothing has happened,
 * and the caller asks again.
 */
export type LogReply = {
  readonly lacks: 'nothing' | 'since' | 'whole' | 'absent' | 'later';
  readonly bytes: Uint8Array;
  /** False when Redis had no room for the block: then the log is gone. */
  readonly isStored: boolean;
};

export type LogInstall = LogKey & {
  /** The position that `snapshot` replaces; where it no longer holds, the snapshot is refused. */
  readonly known: KnownEnd;
  readonly snapshot: Uint8Array;
};

export type InstallOutcome = 'refused' | 'installed' | 'dropped';

/** Most bytes of one reply, except for the first log in it. */
const REPLY_BYTES_MAX = 4 * 1024 * 1024;
/** Time to live of a log without a snapshot: far longer than a rebuild, and short enough that none pile up. */
const PLACEHOLDER_SECONDS = 10;

const NO_BYTES = new Uint8Array(0);
const LACKS = ['nothing', 'since', 'whole', 'absent'] as const;
const LATER: LogReply = { lacks: 'later', bytes: NO_BYTES, isStored: false };
/** Replies without bytes, by code: nearly all. */
const EMPTY_REPLIES = [true, false].flatMap((isStored) =>
  LACKS.map((lacks): LogReply => ({ lacks, bytes: NO_BYTES, isStored })),
);
/** Logs of another history were removed, and there is no room for others. */
const REMOVED: LogReply = { lacks: 'absent', bytes: NO_BYTES, isStored: false };
const OUTCOMES = ['refused', 'installed', 'dropped'] as const;
const CODE_0 = 48;
const LATER_CODE = 8;

const appendScript = loadScript('append-profiles-n');
const installScript = loadScript('install-profiles-n');

/** Throws a Failure. */
export async function appendProfiles(
  market: MarketInRedis,
  ttlSeconds: number,
  appends: readonly LogAppend[],
  replyBytesMax = REPLY_BYTES_MAX,
): Promise<LogReply[]> {
  const calls = callsOf(market.redis, appends);
  const { memory } = market;
  const packed = calls.map(({ parts }) => ({
    keys: keysOf(market.name, parts, profileCopyKey),
    args: [packAppends(parts, memory), ...[replyBytesMax, ttlSeconds, PLACEHOLDER_SECONDS]],
  }));
  const replies = await runOverProfiles(market, appendScript, packed, { buffers: true });
  const sorted = new Array<LogReply>(appends.length);
  for (const [call, { indices }] of calls.entries()) sortReplies(replies[call], indices, sorted);
  for (const [index, { lacks, isStored }] of sorted.entries())
    if (memory.isScarce && lacks === 'absent' && !isStored)
      refuse(memory, appends[index]?.key ?? '');
  return sorted;
}

/** Installs snapshots, which must not change until the promise resolves. Throws a Failure. */
export async function installProfiles(
  market: MarketInRedis,
  ttlSeconds: number,
  installs: readonly LogInstall[],
): Promise<InstallOutcome[]> {
  const calls = callsOf(market.redis, installs);
  const packed = calls.map(({ parts }) => ({
    keys: keysOf(market.name, parts),
    args: [
      packKnown(parts),
      ttlSeconds,
      ...parts.map(({ snapshot }) =>
        Buffer.from(snapshot.buffer, snapshot.byteOffset, snapshot.length),
      ),
    ],
  }));
  const replies = await runOverProfiles(market, installScript, packed);
  const outcomes = new Array<InstallOutcome>(installs.length).fill('refused');
  for (const [call, { indices }] of calls.entries()) {
    const digits = replies[call];
    if (isOtherHistory(digits)) continue;
    if (digits instanceof Failure) throw digits;
    if (typeof digits !== 'string' || digits.length !== indices.length)
      throw unexpected('install-profiles');
    indices.forEach((index, at) => {
      outcomes[index] = OUTCOMES[Number(digits[at])] ?? 'refused';
    });
  }
  return outcomes;
}

/** The logs of profiles as one value: property tests have workers whose logs are in memory. */
export const PROFILE_LOGS = {
  append: appendProfiles,
  install: installProfiles,
  /** Resolves when no log of these parties will be used again. Throws a Failure. */
  drop: ({ redis, name }: Pick<MarketInRedis, 'redis' | 'name'>, parties: readonly Party[]) =>
    invalidateProfiles(redis, name, parties),
};
export type ProfileLogs = Readonly<typeof PROFILE_LOGS>;

/** The logs and then keys of their slot, the last of which is its history: on a single node the first log's slot stands for all. */
function keysOf(
  market: string,
  logs: readonly LogKey[],
  ...slotKeys: (typeof profileHistoryKey)[]
): string[] {
  const slot = logs[0]?.slot ?? 0;
  const own = [...slotKeys, profileHistoryKey].map((keyOf) => keyOf(market, slot));
  return [...logs.map(({ key }) => key), ...own];
}

function sortReplies(reply: unknown, indices: readonly number[], sorted: LogReply[]): void {
  if (isOtherHistory(reply)) {
    for (const index of indices) sorted[index] = REMOVED;
    return;
  }
  if (reply instanceof Failure) throw reply;
  const [codes, ...values] = Array.isArray(reply) ? reply : [];
  if (!Buffer.isBuffer(codes) || codes.length !== indices.length)
    throw unexpected('append-profiles');
  let next = 0;
  indices.forEach((index, at) => {
    const code = (codes[at] ?? 0) - CODE_0;
    const empty = EMPTY_REPLIES[code];
    if (code === LATER_CODE) sorted[index] = LATER;
    else if (empty === undefined) throw unexpected('append-profiles');
    else if (empty.lacks === 'nothing' || empty.lacks === 'absent') sorted[index] = empty;
    else sorted[index] = { ...empty, bytes: values[next++] as Buffer };
  });
}

const STAMP_BYTES = 8;
/** Refusals that are counted, before all counts begin anew. Fewer: a party is forgotten before it comes again. */
const REFUSED_MAX = 131_072;
/** Parties that are seen once or twice displace none. */
const REFUSALS_MIN = 2;

const refusalAt = ({ refusals }: MemoryWatch, key: string) => hashText(key) % refusals.length;

const admits = (memory: MemoryWatch, key: string) =>
  !memory.isScarce || (memory.refusals[refusalAt(memory, key)] ?? 0) >= REFUSALS_MIN;

function refuse(memory: MemoryWatch, key: string): void {
  const { refusals } = memory;
  const at = refusalAt(memory, key);
  if ((refusals[at] ?? 0) >= REFUSALS_MIN) return;
  if (memory.refused === REFUSED_MAX) {
    refusals.fill(0);
    memory.refused = 0;
  }
  refusals[at] = (refusals[at] ?? 0) + 1;
  memory.refused += 1;
}

/** Most digits of a length: Redis keeps no string of more than 512 MiB. */
const DIGITS_MAX = 9;
const HEAD_BYTES = 4 + DIGITS_MAX + STAMP_BYTES;
const RENEW_FLAG = 128;
const BEGIN_NONE_FLAG = 64;
const NO_SPARE_FLAG = 32;

/** A single argument for all logs: the client spends more on an argument than on its bytes. */
function packAppends(appends: readonly LogAppend[], memory: MemoryWatch): Buffer {
  let length = appends.length * HEAD_BYTES;
  for (const { block } of appends) length += block.length;
  const packed = Buffer.allocUnsafe(length);
  let at = 0;
  const spare = memory.isCrowded ? NO_SPARE_FLAG : 0;
  for (const { key, known, block, isToRenew } of appends) {
    const begins = memory.profileBytes > 0 && (known !== null || admits(memory, key));
    const flags = spare + (isToRenew ? RENEW_FLAG : 0) + (begins ? 0 : BEGIN_NONE_FLAG);
    at = packHead(packed, at, known, block.length, flags);
    packed.set(block, at);
    at += block.length;
  }
  return packed.subarray(0, at);
}

function packKnown(installs: readonly LogInstall[]): Buffer {
  const packed = Buffer.allocUnsafe(installs.length * HEAD_BYTES);
  let at = 0;
  for (const { known } of installs) at = packHead(packed, at, known, 0, 0);
  return packed.subarray(0, at);
}

/** Format for the scripts: digits and flags, length of what follows, where the stamp begins, the stamp. */
function packHead(
  packed: Buffer,
  from: number,
  known: KnownEnd | null,
  length: number,
  flags: number,
): number {
  const digits = known === null ? '' : String(known.length - STAMP_BYTES);
  packed.writeUInt32LE(length * 256 + digits.length + flags, from);
  let at = from + 4;
  if (known === null) return at;
  // Character by character: for so few of them a call into the encoder takes longer.
  for (let index = 0; index < digits.length; index++) packed[at++] = digits.charCodeAt(index);
  at = packed.writeUInt32LE(known.high, at);
  return packed.writeUInt32LE(known.low, at);
}

/** Whether a script has refused to touch profiles of another history. */
export function isOtherHistory(reply: unknown): boolean {
  return reply instanceof Failure && reply.code === 'REDIS_OTHERHISTORY';
}

/**
 * Runs a script over profiles, and repeats the script where it found profiles of another history. Replies are as runScripts gives them; a
 * reply that is `isOtherHistory` all the same means that the logs are absent, and that Redis has no room to begin any log.
 */
export async function runOverProfiles(
  { redis, name, memory }: MarketInRedis,
  script: Script,
  calls: readonly ScriptCall[],
  options?: ScriptOptions,
): Promise<unknown[]> {
  const replies = await runScripts(redis, script, calls, options);
  if (!replies.some(isOtherHistory)) return replies;
  memory.adopting ??= Promise.all(
    writableNodes(redis).map((node) => adoptNode(node, name)),
  ).finally(() => {
    memory.adopting = undefined;
  });
  await memory.adopting.catch(throwRedisFailure);
  const again = calls.filter((_, index) => isOtherHistory(replies[index]));
  const rest = (await runScripts(redis, script, again, options)).values();
  return replies.map((reply) => (isOtherHistory(reply) ? rest.next().value : reply));
}
