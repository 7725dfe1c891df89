/**
 * One kind of profile, accounts or merchants, on its way through a batch: which copies to compare, what
 * to rebuild, what to write back. The rounds are driven by fold-profiles.ts.
 *
 * Copies stay in this process' memory (L1). A copy is used only after Redis said in this very batch that
 * its version stands, so its age does not matter; a copy whose batch failed half-way is dropped.
 */
import { LRUCache } from 'lru-cache';
import type { Transaction } from '../domain/transaction.ts';
import { foldBatch } from '../profile/fold-batch.ts';
import {
  headerOf,
  markWritten,
  type Profile,
  type ProfileKind,
  type ProfileWrite,
  profileBytes,
} from '../profile/profile.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { PartyKind } from '../stream/keys.ts';
import type {
  ProfileReply,
  ProfileRequest,
  ProfileStore,
  StoreOutcome,
} from '../stream/profile-cache.ts';

export type PlaceOfParty = (party: PartyKind, id: string) => { key: string; slot: number };
export type LoadPasts<Past> = (transactions: readonly Transaction[]) => Promise<readonly Past[]>;

export type FoldSideOptions<P extends Profile, History, Past> = {
  readonly kind: ProfileKind<P, History, Past>;
  readonly loadPasts: LoadPasts<Past>;
  readonly placeOf: PlaceOfParty;
  readonly metrics: Metrics;
  readonly entriesMax: number;
  readonly bytesMax: number;
};

export type FoldSide<History> = {
  readonly begin: (transactions: readonly Transaction[]) => SideBatch<History>;
};

/** A batch on one side. Call `requests`, `fold` and `finish` in turn until `finish` is true. */
export type SideBatch<History> = {
  /** One a transaction once finished. */
  readonly histories: readonly History[];
  readonly requests: () => ProfileRequest[];
  /** Takes the replies to `requests`; returns what must be written for the folds to count. */
  readonly fold: (replies: readonly ProfileReply[]) => Promise<ProfileStore[]>;
  /** Takes the outcomes of those writes; true when nobody was faster. */
  readonly finish: (outcomes: readonly StoreOutcome[]) => boolean;
  /** Forgets copies that may differ from Redis, after a failure. */
  readonly abandon: () => void;
};

type Copy<P> = { readonly profile: P; readonly key: string; readonly slot: number };

export function createFoldSide<P extends Profile, History, Past>(
  options: FoldSideOptions<P, History, Past>,
): FoldSide<History> {
  const copies = new LRUCache<string, Copy<P>>({
    max: options.entriesMax,
    maxSize: options.bytesMax,
    sizeCalculation: ({ profile }) => profileBytes(profile),
  });
  return { begin: (transactions) => beginBatch(options, copies, transactions) };
}

function beginBatch<P extends Profile, History, Past>(
  { kind, loadPasts, placeOf, metrics }: FoldSideOptions<P, History, Past>,
  copies: LRUCache<string, Copy<P>>,
  transactions: readonly Transaction[],
): SideBatch<History> {
  const histories = new Array<History>(transactions.length);
  const places = new Map<string, { key: string; slot: number }>();
  const parties = transactions.map((transaction) => kind.partyOf(transaction));
  /** Indices of transactions still to fold, and their parties in order of first appearance. */
  let waiting = transactions.map((_, index) => index);
  let asked: string[] = [];
  let writes: { party: string; profile: P; write: ProfileWrite }[] = [];
  const cached = (party: string): P | undefined => copies.get(party)?.profile;

  return {
    histories,
    requests() {
      asked = [...new Set(waiting.map((index) => parties[index] ?? ''))];
      return asked.map((party) => {
        const place = copies.get(party) ?? places.get(party) ?? placeOf(kind.party, party);
        places.set(party, place);
        return { key: place.key, slot: place.slot, known: cached(party)?.stored ?? null };
      });
    },
    async fold(replies) {
      const loaded = takeReplies(kind, asked, replies, cached, metrics);
      const folded = await foldBatch({
        kind,
        transactions: waiting.map((index) => transactions[index] as Transaction),
        profiles: loaded.profiles,
        storedHeaders: loaded.storedHeaders,
        loadPasts: (points) => {
          metrics.profileRebuilds.inc({ reason: kind.party }, points.length);
          return loadPasts(points);
        },
      });
      waiting.forEach((index, i) => {
        histories[index] = folded[i] as History;
      });
      writes = [];
      for (const [party, profile] of loaded.profiles) {
        const write = kind.pendingWrite(profile);
        if (write === undefined) keep(party, profile);
        else writes.push({ party, profile, write });
      }
      return writes.map(({ party, write }) => toStore(places.get(party), write));
    },
    finish(outcomes) {
      const lost = new Set<string>();
      writes.forEach(({ party, profile, write }, index) => {
        const outcome = outcomes[index] ?? 'lost';
        if (outcome === 'lost') {
          lost.add(party);
          copies.delete(party);
          return;
        }
        markWritten(profile, write);
        // A stub has no contents to append to.
        if (outcome === 'stub') profile.list.storedCount = -1;
        keep(party, profile);
      });
      if (lost.size > 0) metrics.profileConflicts.inc(lost.size);
      waiting = waiting.filter((index) => lost.has(parties[index] ?? ''));
      return waiting.length === 0;
    },
    abandon() {
      for (const party of places.keys()) copies.delete(party);
    },
  };

  function keep(party: string, profile: P): void {
    const place = places.get(party);
    if (place !== undefined) copies.set(party, { profile, key: place.key, slot: place.slot });
  }
}

/** Sorts replies into copies to fold into, and headers of values that cannot be used as they are. */
function takeReplies<P extends Profile, History, Past>(
  kind: ProfileKind<P, History, Past>,
  asked: readonly string[],
  replies: readonly ProfileReply[],
  cached: (party: string) => P | undefined,
  metrics: Metrics,
) {
  const profiles = new Map<string, P>();
  const storedHeaders = new Map<string, Buffer>();
  let memory = 0;
  asked.forEach((party, index) => {
    const reply = replies[index] ?? null;
    if (reply === null) return;
    const copy = reply === 'same' ? cached(party) : kind.decode(reply);
    if (reply === 'same') memory += 1;
    if (copy !== undefined) profiles.set(party, copy);
    else if (reply !== 'same') storedHeaders.set(party, headerOf(reply) ?? reply);
  });
  metrics.cacheHits.inc({ cache: 'profile_memory' }, memory);
  metrics.cacheMisses.inc({ cache: 'profile_memory' }, asked.length - memory);
  metrics.cacheHits.inc({ cache: 'profile_redis' }, profiles.size - memory);
  metrics.cacheMisses.inc({ cache: 'profile_redis' }, asked.length - profiles.size);
  return { profiles, storedHeaders };
}

function toStore(
  place: { key: string; slot: number } | undefined,
  write: ProfileWrite,
): ProfileStore {
  if (place === undefined) throw new Error('a profile was folded that nobody asked for');
  const { expected, header } = write;
  return write.kind === 'append'
    ? { ...place, expected, header, mode: 'append', bytes: write.bytes }
    : { ...place, expected, header, mode: 'replace', bytes: write.value };
}
