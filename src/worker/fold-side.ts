/**
 * One kind of profile, accounts or merchants, on its way through a batch: which copies to compare, what
 * to rebuild, what to write back. The rounds are driven by fold-profiles.ts.
 *
 * Copies stay in this process' memory (L1), and what is folded into one counts only if Redis said in this
 * very batch that its version stands, so its age does not matter. Where copies nearly always stand, the
 * compare-and-set of the write is that word, which saves a round trip; where other workers often were
 * faster, copies are compared before they are folded into. A copy whose batch failed half-way is dropped.
 */
import { LRUCache } from 'lru-cache';
import type { Transaction } from '../domain/transaction.ts';
import { foldBatch } from '../profile/fold-batch.ts';
import {
  headerOf,
  markWritten,
  type Profile,
  type ProfileHeader,
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
import { createStaleness, type Staleness } from './staleness.ts';

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

type Place = { readonly key: string; readonly slot: number };
/** `bytes` is what the copy counted for when it was last put into the cache. */
type Copy<P> = Place & { readonly profile: P; readonly bytes: number };

export function createFoldSide<P extends Profile, History, Past>(
  options: FoldSideOptions<P, History, Past>,
): FoldSide<History> {
  const copies = new LRUCache<string, Copy<P>>({
    max: options.entriesMax,
    maxSize: options.bytesMax,
    sizeCalculation: ({ bytes }) => bytes,
  });
  const staleness = createStaleness();
  return { begin: (transactions) => beginBatch(options, copies, staleness, transactions) };
}

function beginBatch<P extends Profile, History, Past>(
  { kind, loadPasts, placeOf, metrics }: FoldSideOptions<P, History, Past>,
  copies: LRUCache<string, Copy<P>>,
  staleness: Staleness,
  transactions: readonly Transaction[],
): SideBatch<History> {
  const histories = new Array<History>(transactions.length);
  const parties = transactions.map((transaction) => kind.partyOf(transaction));
  const touched = new Map<string, Place & Partial<Copy<P>>>();
  /** Indices of transactions still to fold, and their parties in order of first appearance. */
  let waiting = transactions.map((_, index) => index);
  let asked: Asked<P>[] = [];
  /** Copies folded into before Redis said that they stand: their writes must win. */
  let presumed: Asked<P>[] = [];
  let presume = staleness.isRare();
  let writes: { party: string; profile: P; write: ProfileWrite }[] = [];

  const keep = (party: string, profile: P) => {
    const place = touched.get(party);
    if (place === undefined) throw new Error('a profile was folded that nobody asked for');
    const bytes = profileBytes(profile);
    if (place.profile === profile && place.bytes === bytes) return;
    copies.set(party, { key: place.key, slot: place.slot, profile, bytes });
  };

  return {
    histories,
    requests() {
      asked = [];
      presumed = [];
      for (const party of new Set(waiting.map((index) => parties[index] ?? ''))) {
        const place: Place & Partial<Copy<P>> =
          copies.get(party) ?? touched.get(party) ?? placeOf(kind.party, party);
        touched.set(party, place);
        const { key, slot, profile: copy } = place;
        const known = copy?.stored ?? null;
        (presume && known !== null ? presumed : asked).push({ party, copy, key, slot, known });
      }
      presume = false;
      return asked;
    },
    async fold(replies) {
      const { profiles, storedHeaders } = takeReplies(kind, asked, replies, metrics);
      noteCompared(staleness, asked, profiles);
      trust(presumed, profiles, metrics);
      const folded = await foldBatch({
        kind,
        transactions: waiting.map((index) => transactions[index] as Transaction),
        profiles,
        storedHeaders,
        loadPasts: (points) => {
          metrics.profileRebuilds.inc({ reason: kind.party }, points.length);
          return loadPasts(points);
        },
      });
      waiting.forEach((index, i) => {
        histories[index] = folded[i] as History;
      });
      writes = [];
      for (const [party, profile] of profiles) {
        const write = kind.pendingWrite(profile);
        if (write === undefined) keep(party, profile);
        else writes.push({ party, profile, write });
      }
      return writes.map(({ party, write }) => toStore(touched.get(party), write));
    },
    finish(outcomes) {
      const lost = new Set<string>();
      writes.forEach(({ party, profile, write }, index) => {
        const outcome = outcomes[index] ?? 'lost';
        if (outcome === 'lost') {
          lost.add(party);
          forget(party);
          return;
        }
        markWritten(profile, write);
        // A stub has no contents to append to.
        if (outcome === 'stub') profile.list.storedCount = -1;
        keep(party, profile);
      });
      if (lost.size > 0) metrics.profileConflicts.inc(lost.size);
      staleness.note(presumed.filter(({ party }) => lost.has(party)).length, presumed.length);
      const again = lost.union(unproven(presumed, writes));
      waiting = again.size === 0 ? [] : waiting.filter((index) => again.has(parties[index] ?? ''));
      return waiting.length === 0;
    },
    abandon() {
      for (const party of touched.keys()) forget(party);
    },
  };

  function forget(party: string): void {
    copies.delete(party);
    const place = touched.get(party);
    if (place !== undefined) touched.set(party, { key: place.key, slot: place.slot });
  }
}

function noteCompared<P>(
  staleness: Staleness,
  asked: readonly Asked<P>[],
  profiles: ReadonlyMap<string, P>,
): void {
  const compared = asked.filter(({ copy }) => copy !== undefined);
  const outdated = compared.filter(({ party, copy }) => profiles.get(party) !== copy);
  staleness.note(outdated.length, compared.length);
}

function trust<P>(presumed: readonly Asked<P>[], profiles: Map<string, P>, metrics: Metrics): void {
  for (const { party, copy } of presumed) if (copy !== undefined) profiles.set(party, copy);
  metrics.cacheHits.inc({ cache: 'profile_memory' }, presumed.length);
}

/** Parties whose copy was taken on trust and that no write has put to the test. */
function unproven(
  presumed: readonly { readonly party: string }[],
  writes: readonly { readonly party: string }[],
): Set<string> {
  const written = new Set(writes.map(({ party }) => party));
  return new Set(presumed.map(({ party }) => party)).difference(written);
}

type Asked<P> = ProfileRequest & { readonly party: string; readonly copy: P | undefined };

/** Sorts replies into copies to fold into, and headers of values that cannot be used as they are. */
function takeReplies<P extends Profile, History, Past>(
  kind: ProfileKind<P, History, Past>,
  asked: readonly Asked<P>[],
  replies: readonly ProfileReply[],
  metrics: Metrics,
) {
  const profiles = new Map<string, P>();
  const storedHeaders = new Map<string, ProfileHeader>();
  let memory = 0;
  asked.forEach(({ party, copy: known }, index) => {
    const reply = replies[index] ?? null;
    if (reply === null) return;
    const copy = reply === 'same' ? known : kind.decode(reply);
    if (reply === 'same') memory += 1;
    if (copy !== undefined) profiles.set(party, copy);
    else if (reply !== 'same') {
      const header = headerOf(reply);
      if (header !== null) storedHeaders.set(party, header);
    }
  });
  metrics.cacheHits.inc({ cache: 'profile_memory' }, memory);
  metrics.cacheMisses.inc({ cache: 'profile_memory' }, asked.length - memory);
  metrics.cacheHits.inc({ cache: 'profile_redis' }, profiles.size - memory);
  metrics.cacheMisses.inc({ cache: 'profile_redis' }, asked.length - profiles.size);
  return { profiles, storedHeaders };
}

function toStore(place: Place | undefined, write: ProfileWrite): ProfileStore {
  if (place === undefined) throw new Error('a profile was folded that nobody asked for');
  const { key, slot } = place;
  const { expected, header, offset, bytes } = write;
  return { key, slot, expected, header, offset, bytes };
}
