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
import type { Transaction } from '../domain/transaction.ts';
import type { Arrivals } from '../profile/arrivals.ts';
import { foldBatch, type LoadPasts } from '../profile/fold-batch.ts';
import { replaceStored } from '../profile/packed-list.ts';
import { decodeStored, headerOf, type Profile, type ProfileKind } from '../profile/profile.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { FeatureRows } from '../scoring/feature-rows.ts';
import type {
  ProfileReply,
  ProfileRequest,
  ProfileStore,
  StoreOutcome,
} from '../stream/profile-cache.ts';
import { createProfileMemory, type Kept, type ProfileMemory } from './profile-memory.ts';
import { createStaleness, type Staleness } from './staleness.ts';
import { beginVisit, type PlaceOfParty, repeatVisit, type Visit } from './visit.ts';

export type FoldSideOptions<P extends Profile, Past> = {
  readonly kind: ProfileKind<P, Past>;
  readonly loadPasts: LoadPasts<Past>;
  readonly placeOf: PlaceOfParty;
  readonly metrics: Metrics;
  readonly entriesMax: number;
  readonly bytesMax: number;
};

export type FoldSide = {
  readonly begin: (batch: BatchToFold) => SideBatch;
};

/** One arrival and one row, to be filled, a transaction. */
export type BatchToFold = {
  readonly transactions: readonly Transaction[];
  readonly arrivals: Arrivals;
  readonly rows: FeatureRows;
};

/** A batch on one side. Call `requests`, `fold` and `finish` in turn until `finish` is true. */
export type SideBatch = {
  readonly requests: () => ProfileRequest[];
  /** Takes the replies to `requests`; returns what must be written for the folds to count. */
  readonly fold: (replies: readonly ProfileReply[]) => Promise<ProfileStore[]>;
  /** Takes the outcomes of those writes; true when nobody was faster. */
  readonly finish: (outcomes: readonly StoreOutcome[]) => boolean;
  /** Forgets copies that may differ from Redis, after a failure. */
  readonly abandon: () => void;
};

type Side<P extends Profile, Past> = FoldSideOptions<P, Past> & {
  readonly memory: ProfileMemory;
  readonly staleness: Staleness;
};

export function createFoldSide<P extends Profile, Past>(
  options: FoldSideOptions<P, Past>,
): FoldSide {
  const memory = createProfileMemory(options.entriesMax, options.bytesMax);
  const side = { ...options, memory, staleness: createStaleness() };
  return { begin: (batch) => beginBatch(side, batch) };
}

function beginBatch<P extends Profile, Past>(side: Side<P, Past>, batch: BatchToFold): SideBatch {
  const { kind, metrics, memory, staleness } = side;
  const { transactions } = batch;
  const visits = visitAll(side, transactions);
  /** Indices of transactions still to fold, and the parties that they belong to. */
  let waiting = transactions.map((_, index) => index);
  let visited = [...new Set(visits)];
  let asked: Visit<P>[] = [];
  let written: Visit<P>[] = [];

  const presume = staleness.isRare();
  for (const visit of visited) visit.isPresumed = presume && visit.known !== null;

  return {
    requests() {
      asked = visited.filter(({ isPresumed }) => !isPresumed);
      return asked;
    },
    async fold(replies) {
      memory.room.reset();
      takeReplies(side, asked, replies);
      trust(side, visited);
      waiting = waiting.filter((index) => !visits[index]?.isToConfirm);
      await foldBatch({
        ...batch,
        kind,
        indices: waiting,
        holdings: visits,
        loadPasts: (points, missing) => {
          const { party } = kind;
          metrics.profileRebuilds.inc({ party, reason: 'missing' }, missing);
          metrics.profileRebuilds.inc({ party, reason: 'too_short' }, points.length - missing);
          return side.loadPasts(points, missing);
        },
        take: memory.room.take,
      });
      const writes: ProfileStore[] = [];
      written = [];
      for (const visit of visited) {
        const write = keep(side, visit);
        if (write === undefined) continue;
        writes.push(write);
        written.push(visit);
      }
      return writes;
    },
    finish(outcomes) {
      let lost = 0;
      let lostPresumed = 0;
      const presumed = visited.reduce((sum, { isPresumed }) => sum + (isPresumed ? 1 : 0), 0);
      for (const visit of visited) visit.isToRepeat = visit.isPresumed && visit.written === null;
      written.forEach((visit, index) => {
        const outcome = outcomes[index] ?? 'lost';
        const header = visit.written;
        if (outcome === 'stored' || header === null) return;
        if (outcome === 'stub') {
          memory.markStub(visit.party, header);
          return;
        }
        lost += 1;
        if (visit.isPresumed) lostPresumed += 1;
        visit.isToRepeat = true;
        memory.forget(visit.party, header);
      });
      if (lost > 0) metrics.profileConflicts.inc(lost);
      staleness.note(lostPresumed, presumed);
      visited = visited.filter(({ isToRepeat }) => isToRepeat);
      for (const visit of visited) repeatVisit(visit, memory.find(visit.party));
      // Also when none is left: the other kind may go on for another round.
      waiting = waiting.filter((index) => visits[index]?.isToRepeat);
      return visited.length === 0;
    },
    abandon() {
      for (const { party, written: header } of visits) {
        if (header !== null) memory.forget(party, header);
      }
    },
  };
}

/** One a transaction, the same one for all of a party. */
function visitAll<P extends Profile, Past>(
  { kind, memory, placeOf }: Side<P, Past>,
  transactions: readonly Transaction[],
): Visit<P>[] {
  const visits = new Map<string, Visit<P>>();
  return transactions.map((transaction) => {
    const party = kind.partyOf(transaction);
    let visit = visits.get(party);
    if (visit === undefined) {
      const found = memory.find(party);
      visit = beginVisit(party, placeOf(kind.party, party, found?.slot), found);
      visits.set(party, visit);
    }
    return visit;
  });
}

/** The copy in memory, if it still is there. */
function readCopy<P extends Profile, Past>(
  { kind, memory }: Side<P, Past>,
  kept: Kept | null,
): P | undefined {
  const body = kept === null ? undefined : memory.read(kept);
  if (kept === null || body === undefined) return undefined;
  const profile = kind.decode(body, kept.header, memory.room.take);
  if (profile !== undefined && kept.isStub) replaceStored(profile.list);
  return profile;
}

/** Puts the copies to fold into where they are held, or the headers of values that cannot be used as they are. */
function takeReplies<P extends Profile, Past>(
  side: Side<P, Past>,
  asked: readonly Visit<P>[],
  replies: readonly ProfileReply[],
): void {
  const { kind, memory, metrics, staleness } = side;
  let same = 0;
  let loaded = 0;
  let compared = 0;
  asked.forEach((visit, index) => {
    const reply = replies[index] ?? null;
    if (visit.known !== null) compared += 1;
    if (reply === 'same') {
      same += 1;
      if (visit.isToConfirm) return;
      visit.profile = readCopy(side, visit.kept);
      visit.storedHeader = visit.known;
      return;
    }
    visit.isToConfirm = false;
    visit.kept = null;
    visit.known = null;
    if (reply === null) return;
    visit.profile = decodeStored(kind, reply, memory.room.take);
    if (visit.profile === undefined) visit.storedHeader = headerOf(reply);
    else loaded += 1;
  });
  staleness.note(compared - same, compared);
  metrics.cacheHits.inc({ cache: 'profile_memory' }, same);
  metrics.cacheMisses.inc({ cache: 'profile_memory' }, asked.length - same);
  metrics.cacheHits.inc({ cache: 'profile_redis' }, loaded);
  metrics.cacheMisses.inc({ cache: 'profile_redis' }, asked.length - same - loaded);
}

function trust<P extends Profile, Past>(side: Side<P, Past>, visited: readonly Visit<P>[]): void {
  let trusted = 0;
  for (const visit of visited) {
    if (!visit.isPresumed) continue;
    visit.profile = readCopy(side, visit.kept);
    // Gone since: what is rebuilt instead expects the same version, so it loses where the copy would have.
    visit.storedHeader = visit.known;
    trusted += 1;
  }
  side.metrics.cacheHits.inc({ cache: 'profile_memory' }, trusted);
}

/** Puts what was folded into memory, as if it were written already; returns the write, if there is one. */
function keep<P extends Profile, Past>(
  { kind, memory }: Side<P, Past>,
  visit: Visit<P>,
): ProfileStore | undefined {
  const { party, key, slot, profile, kept } = visit;
  // The batch holds on to its visits until the write is answered.
  visit.profile = undefined;
  if (profile === undefined) return undefined;
  const write = kind.pendingWrite(profile);
  if (write === undefined) {
    if (kept === null && profile.stored !== null) {
      memory.keep(party, slot, kind.encode(profile), profile.stored);
    }
    return undefined;
  }
  const { expected, header, offset, bytes } = write;
  visit.written = header;
  const isExtended = offset > 0 && kept !== null && memory.extend(kept, offset, bytes, header);
  if (!isExtended) memory.keep(party, slot, offset > 0 ? kind.encode(profile) : bytes, header);
  return { key, slot, expected, header, offset, bytes };
}
