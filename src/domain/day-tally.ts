/**
 * Transactions and scores counted by UTC day, corridor, currency and what became of them: what a statement that stores
 * them adds to the daily tallies.
 */
import type { Verdict } from './score-record.ts';
import type { Transaction } from './transaction.ts';
import { DAY_MS } from './utc-bucket.ts';

/**
 * accepted: transactions; a verdict: scores. dead_lettered: transactions that ended as a dead letter which is not
 * replayed; dead_letter: dead letters neither replayed nor purged.
 */
export type Outcome = 'accepted' | Verdict | 'dead_lettered' | 'dead_letter';

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
};

export type CountDays = {
  readonly add: (transaction: Counted, scored: Scored | null) => void;
  readonly list: () => DayTally[];
};

/** A sum takes about 0.2 µs a transaction. */
export function countDays(): CountDays {
  const tallies = new Map<string, DayTally & Sums>();
  return {
    add(transaction, scored) {
      const { corridor, currency } = transaction;
      const day = Math.floor(transaction.createdAtMs / DAY_MS);
      const outcome = scored === null ? 'accepted' : scored.verdict;
      const model = scored === null ? null : scored.model;
      const key = `${day}${corridor}${currency}${outcome}${model}`;
      let tally = tallies.get(key);
      if (tally === undefined) {
        const ruleSet = scored === null ? null : scored.ruleSet;
        tally = { day, corridor, currency, outcome, ruleSet, model, ...NOTHING };
        tallies.set(key, tally);
      }
      tally.count++;
      tally.scoreSum += scored === null ? 0 : scored.score;
      addAmount(tally, transaction.amount);
    },
    list: () => [...tallies.values()].map((tally) => ({ ...tally, amount: toDecimal(tally) })),
  };
}

type Sums = {
  count: number;
  scoreSum: number;
  /** Ten-thousandths: an amount has at most four decimal places. Below 2^53. */
  units: number;
  /** Ten-thousandths of amounts that are too large for it. */
  large: bigint;
  /** Decimal places of the amounts, at most. */
  places: number;
};
const NOTHING = { count: 0, scoreSum: 0, units: 0, large: 0n, places: 0, amount: '' } as const;

const PLACES_MAX = 4;
const UNITS = 10 ** PLACES_MAX;
/** Below it, the nearest double of an amount is less than a ten-thousandth's half away even after it is multiplied. */
const SURE_AMOUNT_MAX = 1e11;
const SURE_UNITS_MAX = Number.MAX_SAFE_INTEGER - SURE_AMOUNT_MAX * UNITS;

function addAmount(sums: Sums, amount: string): void {
  const point = amount.indexOf('.');
  const places = point < 0 ? 0 : amount.length - point - 1;
  if (places > sums.places) sums.places = places;
  const value = Number(amount);
  if (value < SURE_AMOUNT_MAX && sums.units < SURE_UNITS_MAX) {
    sums.units += Math.round(value * UNITS);
    return;
  }
  sums.large += BigInt(amount.replace('.', '') + '0'.repeat(PLACES_MAX - places));
}

function toDecimal({ units, large, places }: Sums): string {
  const digits = String(large + BigInt(units)).padStart(PLACES_MAX + 1, '0');
  const point = digits.length - PLACES_MAX;
  const whole = digits.slice(0, point);
  return places === 0 ? whole : `${whole}.${digits.slice(point, point + places)}`;
}
