/**
 * One kind of profile, accounts or merchants, on its way through a batch: which copies to compare, what
 * to rebuild, what to write back. The rounds are driven by fold-profiles.ts.
 *
 * Copies stay in this process' memory (L1), and what is folded into one counts only if Redis said in this
 * very batch that its version stands, so its age does not matter. Where copies nearly always stand, the
 * compare-and-set of the write is that word, which saves a round trip; where other workers often were
 * faster, copies are compared before they are folded into.
 *
 * A copy is taken for written as soon as its write is under way, and the next batch folds on: its own
 * write expects that version, so it loses if this one did. A copy whose write was lost, or of whose write
 * nothing is known, is dropped.
 */
import { LRUCache } from 'lru-cache';
import type { Transaction } from '../domain/transaction.ts';
import { foldBatch } from '../profile/fold-batch.ts';
import {
  headerOf,
  markStub,
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
/** A copy in memory; `bytes` is what it counts for there. */
type Copy<P> = Place & { readonly profile: P; readonly bytes: number };

/** A party of a batch. One object for all that is known of it: batches touch as many parties as entries. */
type Visit<P> = Place & {
  readonly party: string;
  /** The copy in memory, if it was taken up. */
  copy: P | undefined;
  /** Bytes that the copy counts for. */
  bytes: number;
  /** Header of the copy, when it was asked for. */
  known: ProfileHeader | null;
  /** Folded into before Redis said that the copy stands: its write must win. */
  isPresumed: boolean;
  /** Another worker was faster, or nothing has put the presumption to the test: fold again. */
  isToRepeat: boolean;
  /** The write on its way, and the profile that it brings up to date. */
  write: ProfileWrite | undefined;
  profile: P | undefined;
};

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
  const visits = new Map<string, Visit<P>>();
  /** Indices of transactions still to fold, and the parties that they belong to. */
  let waiting = transactions.map((_, index) => index);
  let visited: Visit<P>[] = [];
  let asked: Visit<P>[] = [];
  let written: Visit<P>[] = [];

  for (const transaction of transactions) {
    const party = kind.partyOf(transaction);
    if (visits.has(party)) continue;
    const visit = beginVisit(party, copies.get(party) ?? placeOf(kind.party, party));
    visits.set(party, visit);
    visited.push(visit);
  }
  const presume = staleness.isRare();
  for (const visit of visited) visit.isPresumed = presume && headerOfCopy(visit) !== null;

  return {
    histories,
    requests() {
      asked = visited.filter(({ isPresumed }) => !isPresumed);
      for (const visit of asked) visit.known = headerOfCopy(visit);
      return asked;
    },
    async fold(replies) {
      const { profiles, storedHeaders } = takeReplies(kind, asked, replies, metrics);
      noteCompared(staleness, asked, profiles);
      trust(visited, profiles, metrics);
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
      written = [];
      for (const visit of visited) {
        visit.profile = profiles.get(visit.party);
        visit.write = visit.profile && kind.pendingWrite(visit.profile);
        if (visit.profile === undefined) continue;
        if (visit.write !== undefined) {
          written.push(visit);
          markWritten(visit.profile, visit.write);
        }
        keep(copies, visit, visit.profile);
      }
      return written.map(toStore);
    },
    finish(outcomes) {
      let lost = 0;
      let lostPresumed = 0;
      const presumed = visited.reduce((sum, { isPresumed }) => sum + (isPresumed ? 1 : 0), 0);
      for (const visit of visited) visit.isToRepeat = visit.isPresumed && visit.write === undefined;
      written.forEach((visit, index) => {
        const outcome = outcomes[index] ?? 'lost';
        if (outcome === 'stored') return;
        if (outcome === 'stub') {
          takeStub(copies, visit);
          return;
        }
        lost += 1;
        if (visit.isPresumed) lostPresumed += 1;
        visit.isToRepeat = true;
        forget(copies, visit);
      });
      if (lost > 0) metrics.profileConflicts.inc(lost);
      staleness.note(lostPresumed, presumed);
      visited = visited.filter(({ isToRepeat }) => isToRepeat);
      for (const visit of visited) visit.isPresumed = false;
      // Also when none is left: the other kind may go on for another round.
      waiting = waiting.filter(
        (index) => visits.get(kind.partyOf(transactions[index] as Transaction))?.isToRepeat,
      );
      return visited.length === 0;
    },
    abandon() {
      for (const visit of visits.values()) forget(copies, visit);
    },
  };
}

function beginVisit<P extends Profile>(party: string, place: Place & Partial<Copy<P>>): Visit<P> {
  const { key, slot, profile: copy, bytes = 0 } = place;
  return {
    party,
    key,
    slot,
    copy,
    bytes,
    known: null,
    isPresumed: false,
    isToRepeat: false,
    write: undefined,
    profile: undefined,
  };
}

function headerOfCopy<P extends Profile>({ copy }: Visit<P>): ProfileHeader | null {
  return copy?.stored ?? null;
}

/** Puts a profile into memory; what is there already, and as large, need not be moved. */
function keep<P extends Profile>(
  copies: LRUCache<string, Copy<P>>,
  visit: Visit<P>,
  profile: P,
): void {
  const bytes = profileBytes(profile);
  const isKept = visit.copy === profile && visit.bytes === bytes;
  visit.copy = profile;
  visit.bytes = bytes;
  if (isKept) return;
  copies.set(visit.party, { key: visit.key, slot: visit.slot, profile, bytes });
}

function forget<P>(copies: LRUCache<string, Copy<P>>, visit: Visit<P>): void {
  // Meanwhile another batch may have put a newer one there.
  const { copy, profile = copy } = visit;
  if (copies.peek(visit.party)?.profile === profile) copies.delete(visit.party);
  visit.copy = undefined;
  visit.bytes = 0;
}

/** A stub has no contents to append to. What was folded in since expects the whole value, and loses. */
function takeStub<P extends Profile>(copies: LRUCache<string, Copy<P>>, visit: Visit<P>): void {
  const { profile, write } = visit;
  if (profile === undefined || write === undefined) throw new Error('nothing was written');
  if (profile.stored === write.header) markStub(profile);
  else forget(copies, visit);
}

function noteCompared<P>(
  staleness: Staleness,
  asked: readonly Visit<P>[],
  profiles: ReadonlyMap<string, P>,
): void {
  const compared = asked.filter(({ copy }) => copy !== undefined);
  const outdated = compared.filter(({ party, copy }) => profiles.get(party) !== copy);
  staleness.note(outdated.length, compared.length);
}

function trust<P>(visited: readonly Visit<P>[], profiles: Map<string, P>, metrics: Metrics): void {
  let trusted = 0;
  for (const { party, copy, isPresumed } of visited) {
    if (!isPresumed || copy === undefined) continue;
    profiles.set(party, copy);
    trusted += 1;
  }
  metrics.cacheHits.inc({ cache: 'profile_memory' }, trusted);
}

/** Sorts replies into copies to fold into, and headers of values that cannot be used as they are. */
function takeReplies<P extends Profile, History, Past>(
  kind: ProfileKind<P, History, Past>,
  asked: readonly Visit<P>[],
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

function toStore<P>({ key, slot, write }: Visit<P>): ProfileStore {
  if (write === undefined) throw new Error('nothing is to be written');
  const { expected, header, offset, bytes } = write;
  return { key, slot, expected, header, offset, bytes };
}
