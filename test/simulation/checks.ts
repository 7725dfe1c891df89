/** The promises at rest. Each breach names the broken promise, before the colon, and the transaction. */
import { isDeepStrictEqual } from 'node:util';
import { rowAt, vectorOf } from '../../src/core/domain/feature-rows.ts';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import type { AccountPast, MerchantPast, SharedPast } from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { comparePositions } from '../../src/core/domain/transaction.ts';
import { arrivalsOf } from '../../src/core/profile/arrivals.ts';
import { beginRows } from '../../src/core/profile/fold-batch.ts';
import { accountKind, merchantKind } from '../../src/core/profile/kinds.ts';
import { takeOwn } from '../../src/core/profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../src/core/profile/profile.ts';
import { readLog } from '../../src/core/profile/profile.ts';
import { SHARED_KINDS } from '../../src/core/profile/shared-profile.ts';
import { ATTEMPTS_MAX } from '../../src/core/stream/entries/entry-head.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import { DELIVERIES_MAX } from '../../src/core/work/decided.ts';
import { foldRow } from '../support/fold-one.ts';
import { checkDoubled, checkEvents } from './check-events.ts';
import { earlierSiblings } from './journal.ts';
import { knownFrauds, type PartyLabel } from './known-frauds.ts';
import { transactionIdsOf } from './memory-stream.ts';
import type { DisasterKind, Nature } from './schedule.ts';
import { MARKET, STREAMS, type World } from './world.ts';

export function checkAtRest(world: World): string[] {
  return [
    ...checkQuiet(world),
    ...world.transactions.flatMap((one) => checkFinal(world, one)),
    ...checkGarbage(world),
    ...checkAttempts(world),
    ...checkEvents(world),
    ...checkDoubled(world),
    ...checkFeatures(world),
    ...checkProfiles(world, accountKind, accountPastOf(world.postgres.labels)),
    ...checkProfiles(world, merchantKind, merchantPastOf(world.postgres.labels)),
    ...SHARED_KINDS.flatMap((kind) =>
      checkProfiles(world, kind, sharedPastOf(kind.party, world.postgres.labels)),
    ),
  ];
}

function checkQuiet({ streams, postgres }: World): string[] {
  const waiting = STREAMS.flatMap(({ transactions: name }) => [
    ...streams.entries(name),
    ...streams.retries(name),
  ]);
  const breaches = waiting.map((entry) => `left waiting: ${transactionIdsOf(entry).join()}`);
  if (streams.pendingCount() > 0) breaches.push(`left pending: ${streams.pendingCount()}`);
  if (postgres.openRows.size() > 0) breaches.push(`open rows: ${postgres.openRows.size()}`);
  return breaches;
}

const ENDS_SCORED: readonly Nature[] = ['good', 'flaky'];

/** Each accepted transaction has one score or one open dead letter, as its nature has it. */
function checkFinal(world: World, { transactionId: id }: Transaction): string[] {
  const { postgres, natureOf } = world;
  const score = postgres.scores.get(id);
  const letters = postgres.deadLetters.filter((row) => row.transactionId === id && row.isOpen);
  const breaches: string[] = [];
  const nature = natureOf(id) ?? 'good';
  if (score === undefined && letters.length === 0) breaches.push(`lost: ${id} ${nature}`);
  if (score !== undefined && letters.length > 0) breaches.push(`scored and dead: ${id} ${nature}`);
  if (letters.length > 1) breaches.push(`two open dead letters: ${id}`);
  if (score !== undefined && score.writes > 1) breaches.push(`a score written twice: ${id}`);
  const isGivenUp = letters.some((row) => row.errorCode === 'CRASHES_WORKER');
  if (ENDS_SCORED.includes(nature)) {
    const excused = isGivenUp && mayBeGivenUp(world);
    if (letters.length > 0 && !excused)
      breaches.push(`${nature} and dead: ${id} ${letters[0]?.errorCode}`);
  } else if (score !== undefined && nature !== 'stubborn')
    breaches.push(`${nature} and scored: ${id}`);
  return breaches;
}

/**
 * Innocent entries are given up only if they were delivered too often: each crash or freeze costs one
 * delivery, and up to two of those that crash by themselves, after which they are delivered alone.
 */
function mayBeGivenUp({ journal, schedule }: World): boolean {
  const hasCrasher = schedule.submissions.some(({ nature }) => nature === 'crasher');
  return journal.disturbances + (hasCrasher ? 3 : 0) >= DELIVERIES_MAX;
}

function checkGarbage({ postgres, schedule, journal }: World): string[] {
  const rows = postgres.deadLetters.filter((row) => row.transactionId === null);
  const entries = new Set(rows.map((row) => `${row.stream} ${row.entryId}`));
  const appended = schedule.disasters.filter(({ kind }) => kind === 'append-garbage').length;
  const breaches: string[] = [];
  if (entries.size < rows.length) breaches.push('two dead letters of an unreadable entry');
  const unreadable = appended + journal.spoilt;
  if (rows.length > unreadable) {
    breaches.push(`unreadable entries: ${rows.length} of ${unreadable}`);
  }
  // The contents of a lost Redis are unknown.
  const isLost = schedule.disasters.some(({ kind }) => kind === 'wipe' || kind === 'rollback');
  if (!isLost && rows.length < appended) breaches.push('an unreadable entry left no dead letter');
  return breaches;
}

const FORGETTING: readonly DisasterKind[] = ['rollback', 'regroup'];

function checkAttempts(world: World): string[] {
  const { postgres, journal, natureOf, transactions, schedule } = world;
  const breaches: string[] = [];
  // A Redis that comes back as it was has forgotten deliveries and attempts, and a new group deliveries.
  const rollbacks = schedule.disasters.filter(({ kind }) => FORGETTING.includes(kind)).length;
  const rows = [...postgres.scores.values(), ...postgres.deadLetters];
  for (const { attempts, transactionId } of rows) {
    if (attempts > ATTEMPTS_MAX) breaches.push(`attempts ${attempts}: ${transactionId}`);
  }
  for (const { transactionId: id } of transactions) {
    const appends = (journal.appends.get(id) ?? 0) + rollbacks;
    const retries = journal.retries.get(id) ?? 0;
    if (retries > appends * (ATTEMPTS_MAX - 1)) breaches.push(`retries ${retries}: ${id}`);
    const crashes = journal.crashes.get(id) ?? 0;
    // An entry that a stopping worker gives back is a new entry: its deliveries are counted anew.
    const entries = appends + (journal.releases.get(id) ?? 0);
    if (crashes > entries * DELIVERIES_MAX) breaches.push(`crashes ${crashes}: ${id}`);
  }
  for (const row of postgres.deadLetters) {
    const isEarly = row.errorCode === 'SCORING_FAILED' && row.attempts < ATTEMPTS_MAX;
    if (isEarly && natureOf(row.transactionId ?? '') === 'poison') {
      breaches.push(`given up after ${row.attempts} attempts: ${row.transactionId}`);
    }
  }
  return breaches;
}

const SIBLINGS = featureIndex('siblings');

/**
 * A score saw every sibling that was scored before it was first delivered, and none that was not stored
 * yet. Where both are the same siblings, its features are those of a fold from scratch, bit for bit.
 */
function checkFeatures(world: World): string[] {
  const { postgres, journal, transactions } = world;
  const breaches: string[] = [];
  for (const point of transactions) {
    const id = point.transactionId;
    const [score, sight] = [postgres.scores.get(id), journal.sights.get(id)];
    if (score === undefined || sight === undefined) continue;
    const known = journal.knownAtScore.get(id) ?? new Set<string>();
    const siblings = earlierSiblings(transactions, point).filter((one) =>
      known.has(one.transactionId),
    );
    const labels = postgres.labels.slice(0, journal.labelsAtScore.get(id));
    const least = siblings.filter((one) => sight.scoredBefore.has(one.transactionId));
    const ofAccount = (all: readonly Transaction[]) =>
      all.filter((one) => one.accountId === point.accountId).length;
    const seen = score.features[SIBLINGS] ?? Number.NaN;
    if (!(seen >= ofAccount(least) && seen <= ofAccount(siblings))) {
      breaches.push(`saw ${seen} of ${ofAccount(least)} to ${ofAccount(siblings)} siblings: ${id}`);
    }
    if (
      least.length === siblings.length &&
      sight.labelsTold === labels.length &&
      !isDeepStrictEqual(score.features, fresh(siblings, labels, point))
    ) {
      breaches.push(`features unlike a fold from scratch: ${id}`);
    }
  }
  return breaches;
}

function fresh(
  siblings: readonly Transaction[],
  labels: readonly PartyLabel[],
  point: Transaction,
): Float64Array {
  const { arrivals, rows } = beginRows(arrivalsOf([point]));
  const account = profileOf(accountKind, accountPastOf(labels), siblings, point);
  const merchant = profileOf(merchantKind, merchantPastOf(labels), siblings, point);
  accountKind.fold(account, arrivals, 0, rows.values, rowAt(rows, 0));
  merchantKind.fold(merchant, arrivals, 0, rows.values, rowAt(rows, 0));
  for (const kind of SHARED_KINDS) {
    if (kind.partyOf(point) === null) continue;
    const profile = profileOf(kind, sharedPastOf(kind.party, labels), siblings, point);
    kind.fold(profile, arrivals, 0, rows.values, rowAt(rows, 0));
  }
  return vectorOf(rows, 0);
}

const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };
const accountPastOf =
  (labels: readonly PartyLabel[]): PastOf<AccountPast> =>
  (rows, point) => ({
    ...{ rows, floor: FIRST, ceiling: null, frauds: knownFrauds(labels, point, 'account') },
  });
const merchantPastOf =
  (labels: readonly PartyLabel[]): PastOf<MerchantPast> =>
  (rows, point) => ({
    ...{ rows, tallies: [], horizon: null, knownFromMs: 0, ceiling: null },
    frauds: knownFrauds(labels, point, 'merchant'),
  });
const sharedPastOf =
  (kind: 'device' | 'address', labels: readonly PartyLabel[]): PastOf<SharedPast> =>
  (rows, point) => ({
    ...{ rows, floor: FIRST, ceiling: null, frauds: knownFrauds(labels, point, kind) },
    oldest: { sinceMs: 0, times: [], toMs: Infinity },
  });

type PastOf<Past> = (rows: readonly Transaction[], point: Transaction) => Past;

function profileOf<P extends Profile, Past>(
  kind: ProfileKind<P, Past>,
  pastOf: PastOf<Past>,
  transactions: readonly Transaction[],
  point: Transaction,
): P {
  const own = transactions.filter((one) => kind.partyOf(one) === kind.partyOf(point));
  return kind.rebuild(pastOf(own.sort(comparePositions), point));
}

/** Sorts behind every transaction of its millisecond. */
const LAST_ID_END = '7fff-bfff-ffffffffffff';

/**
 * Every profile in Redis knows its party's transactions, each once: asked behind each of them, it says
 * what a fold from scratch says. One that was given up unread may be in it or not.
 */
function checkProfiles<P extends Profile, Past>(
  { postgres, profiles, journal, transactions }: World,
  kind: ProfileKind<P, Past>,
  pastOf: PastOf<Past>,
): string[] {
  const breaches: string[] = [];
  for (const [party, own] of Map.groupBy(transactions, kind.partyOf)) {
    if (party === null) continue;
    const key = profileKey(MARKET, kind.party, party);
    const value = profiles.values.get(key);
    // A log without a snapshot, or with one that cannot take in what stands behind it, is rebuilt.
    if (value === undefined || readLog(kind, value, takeOwn) === undefined) continue;
    const isSure = ({ transactionId: id }: Transaction) =>
      postgres.scores.has(id) || journal.scorings.has(id);
    const sure = own.filter(isSure);
    const unsure = own.filter((one) => !isSure(one));
    const isLike = (rows: readonly Transaction[]) =>
      own.every((one) => {
        const probe = { ...one, transactionId: one.transactionId.slice(0, 14) + LAST_ID_END };
        const profile = readLog(kind, value, takeOwn)?.profile;
        if (profile === undefined) return false;
        const row = foldRow(kind, profile, probe);
        if (row === undefined) return true;
        const scratch = profileOf(kind, pastOf, rows, probe);
        return isDeepStrictEqual(row, foldRow(kind, scratch, probe));
      });
    if (!subsetsOf(unsure).some((some) => isLike([...sure, ...some]))) {
      breaches.push(`a profile unlike a fold from scratch: ${kind.party} ${party}`);
    }
  }
  return breaches;
}

function subsetsOf<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>((all, item) => all.flatMap((some) => [some, [...some, item]]), [[]]);
}
