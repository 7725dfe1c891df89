/**
 * Transactions and scores counted by UTC day, corridor, currency and what became of them: what a statement that stores
 * them adds to the daily tallies. Reasons of scores are counted beside them, by day, corridor and rule set.
 */
import { DAY_MS } from '../../kit/words/range.ts';
import type { LabelValue } from './label.ts';
import type { Verdict } from './score-record.ts';
import type { Transaction } from './transaction.ts';

/**
 * accepted: transactions; a verdict: scores; a label: transactions whose deciding label it is. dead_lettered:
 * transactions that ended as a dead letter which is not replayed; dead_letter: dead letters neither replayed nor
 * purged. A reason code, which is in capitals: scores that have this reason.
 */
export type Outcome =
  | ('accepted' | Verdict | LabelValue | 'dead_lettered' | 'dead_letter')
  | Uppercase<string>;

/** Currency of what has no amount. */
const NO_CURRENCY = 'XXX';

export type DayTally = {
  /** Days since 1970-01-01, UTC. */
  readonly day: number;
  readonly corridor: string;
  readonly currency: string;
  readonly outcome: Outcome;
  readonly ruleSet: string | null;
  readonly model: string | null;
  readonly count: number;
  /** Sum of the amounts, as decimal text. */
  readonly amount: string;
  readonly scoreSum: number;
};

type Counted = Pick<Transaction, 'createdAtMs' | 'corridor' | 'currency' | 'amount'>;
type Scored = {
  readonly verdict: Verdict;
  readonly score: number;
  readonly ruleSet: string;
  readonly model: string | null;
  readonly reasons: readonly { readonly code: string }[];
};

export type CountDays = ReturnType<typeof countDays>;

export function countDays() {
  // A batch has few days, currencies and outcomes per corridor, so comparing them is cheaper than building a
  // key of all.
  const byCorridor = new Map<string, (DayTally & Sums)[]>();
  const fired = new Map<string, Fired[]>();
  const find = (transaction: Counted, outcome: Outcome, scored: Scored | null): DayTally & Sums => {
    const { corridor, currency } = transaction;
    const day = Math.floor(transaction.createdAtMs / DAY_MS);
    const model = scored === null ? null : scored.model;
    const ruleSet = scored === null ? null : scored.ruleSet;
    const tallies = byCorridor.get(corridor) ?? [];
    for (const tally of tallies) {
      const isSame = tally.day === day && tally.currency === currency && tally.ruleSet === ruleSet;
      if (isSame && tally.outcome === outcome && tally.model === model) return tally;
    }
    const tally = { day, corridor, currency, outcome, ruleSet, model, ...NOTHING } as const;
    byCorridor.set(corridor, tallies);
    tallies.push(tally);
    return tally;
  };
  return {
    add(transaction: Counted, scored: Scored | null): void {
      const tally = find(transaction, scored === null ? 'accepted' : scored.verdict, scored);
      tally.count++;
      if (scored !== null) tally.scoreSum += scored.score;
      addAmount(tally, transaction.amount);
      if (scored !== null && scored.reasons.length > 0) countReasons(fired, tally, scored.reasons);
    },
    /** Counts a transaction that this label decides. */
    addLabel(transaction: Counted, label: LabelValue): void {
      const tally = find(transaction, label, null);
      tally.count++;
      addAmount(tally, transaction.amount);
    },
    list: (): DayTally[] => [
      ...[...byCorridor.values()].flat().map((tally) => ({ ...tally, amount: toDecimal(tally) })),
      ...[...fired.values()].flat().flatMap(listReasons),
    ],
  };
}

/** The increment that takes a tally away again. */
export const negative = (tally: DayTally): DayTally => ({
  ...tally,
  count: -tally.count,
  amount: `-${tally.amount}`,
  scoreSum: -tally.scoreSum,
});

type Fired = Pick<DayTally, 'day' | 'corridor' | 'ruleSet'> & {
  readonly counts: Map<string, number>;
};

function countReasons(
  fired: Map<string, Fired[]>,
  { day, corridor, ruleSet }: DayTally,
  reasons: Scored['reasons'],
): void {
  const days = fired.get(corridor) ?? [];
  fired.set(corridor, days);
  // A batch has few days and rule sets, so comparing them is cheaper than a key of all.
  const known = days.find((tallied) => tallied.day === day && tallied.ruleSet === ruleSet);
  const { counts } = known ?? { counts: new Map<string, number>() };
  if (known === undefined) days.push({ day, corridor, ruleSet, counts });
  for (const { code } of reasons) counts.set(code, (counts.get(code) ?? 0) + 1);
}

function listReasons({ counts, ...key }: Fired): DayTally[] {
  const nothing = { currency: NO_CURRENCY, model: null, amount: '0', scoreSum: 0 };
  return [...counts].map(([code, count]) => ({
    ...key,
    ...nothing,
    count,
    outcome: code as Uppercase<string>,
  }));
}

type Sums = {
  count: number;
  scoreSum: number;
  /** Ten-thousandths: an amount has at most four decimal places. */
  units: bigint;
  /** Decimal places of the amounts, at most. */
  decimals: number;
};
const NOTHING = { count: 0, scoreSum: 0, units: 0n, decimals: 0, amount: '' } as const;

const PLACES_MAX = 4;

function addAmount(sums: Sums, amount: string): void {
  const [whole = '', decimals = ''] = amount.split('.');
  sums.decimals = Math.max(sums.decimals, decimals.length);
  sums.units += BigInt(whole + decimals.padEnd(PLACES_MAX, '0'));
}

function toDecimal({ units, decimals }: Sums): string {
  const digits = String(units).padStart(PLACES_MAX + 1, '0');
  const point = digits.length - PLACES_MAX;
  const whole = digits.slice(0, point);
  return decimals === 0 ? whole : `${whole}.${digits.slice(point, point + decimals)}`;
}
