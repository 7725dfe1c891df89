/**
 * The evaluation protocol of the published data (its README): on each test day those customers are dropped who
 * had a fraud between a week before the delay and the day that is just known. Each figure comes with the bounds
 * of 95 % over resampled customers.
 */
import { createRandom } from '../../src/kit/random.ts';
import {
  bootstrapIntervals,
  type Interval,
} from '../../src/rooms/models/training/evaluation/bootstrap.ts';
import {
  accountPrecision,
  aucOf,
  averagePrecisionOf,
  recallAtFalseAlarmRate,
  thresholdsOf,
} from '../../src/rooms/models/training/evaluation/ranking.ts';
import type { Day } from './published-days.ts';

const DAY_MS = 86_400_000;
const DELAY_DAYS = 7;
const POOL_DAYS = 7;
const CUSTOMERS_A_DAY = 100;
const FALSE_ALARM_RATE = 0.01;
const DRAWS = 500;

/** A payment of the test week. */
export type Tested = {
  readonly day: number;
  readonly customer: string;
  readonly isFraud: boolean;
  /** The customer of the payment was not known to be compromised. */
  readonly isKept: boolean;
};

export type Figures = Readonly<Record<string, Interval & { readonly value: number }>>;

/** Payments of the week from `fromMs` on, in the order of the days. */
export function testWeek(days: readonly Day[], fromMs: number): Tested[] {
  const endMs = fromMs + 7 * DAY_MS;
  const firstFrauds = new Map<string, number>();
  for (const { startMs, payments } of days) {
    if (startMs < fromMs - (DELAY_DAYS + POOL_DAYS) * DAY_MS || startMs >= endMs) continue;
    for (const { customer, isFraud } of payments) {
      if (isFraud && !firstFrauds.has(customer)) firstFrauds.set(customer, startMs);
    }
  }
  return days
    .filter(({ startMs }) => startMs >= fromMs && startMs < endMs)
    .flatMap(({ startMs, payments }) =>
      payments.map(({ customer, isFraud }) => ({
        day: startMs / DAY_MS,
        customer,
        isFraud,
        isKept:
          (firstFrauds.get(customer) ?? Number.POSITIVE_INFINITY) >
          startMs - (DELAY_DAYS + 1) * DAY_MS,
      })),
    );
}

/** @param scores one a row */
export function measure(rows: readonly Tested[], scores: readonly number[], seed: string): Figures {
  const byCustomer = [...Map.groupBy(rows.keys(), (row) => rows[row]?.customer).values()];
  const figuresOf = (drawn: Int32Array) => figures(rows, scores, byCustomer, drawn);
  const all = Int32Array.from(byCustomer.keys());
  const bounds = bootstrapIntervals(byCustomer.length, figuresOf, DRAWS, createRandom(seed));
  return Object.fromEntries(
    Object.entries(figuresOf(all)).map(([name, value]) => [
      name,
      { value, ...bounds[name as keyof typeof bounds] },
    ]),
  );
}

/** A customer that was drawn twice counts as two. */
function figures(
  rows: readonly Tested[],
  scores: readonly number[],
  byCustomer: readonly (readonly number[])[],
  drawn: Int32Array,
) {
  const every = columns();
  const kept = columns();
  for (const [account, customer] of drawn.entries()) {
    for (const row of byCustomer[customer] ?? []) {
      const tested = rows[row];
      if (tested === undefined) continue;
      const one = { score: scores[row] ?? 0, label: tested.isFraud ? 1 : 0, day: tested.day };
      add(every, one, account);
      if (tested.isKept) add(kept, one, account);
    }
  }
  const thresholds = thresholdsOf(kept);
  const whole = thresholdsOf(every);
  return {
    auc: aucOf(thresholds),
    average_precision: averagePrecisionOf(thresholds),
    card_precision_100: accountPrecision(kept, CUSTOMERS_A_DAY),
    average_precision_all: averagePrecisionOf(whole),
    recall_at_1_percent_all: recallAtFalseAlarmRate(whole, FALSE_ALARM_RATE),
  };
}

const columns = () => ({
  scores: [] as number[],
  labels: [] as number[],
  accounts: [] as number[],
  days: [] as number[],
});

function add(
  to: ReturnType<typeof columns>,
  { score, label, day }: { score: number; label: number; day: number },
  account: number,
): void {
  to.scores.push(score);
  to.labels.push(label);
  to.accounts.push(account);
  to.days.push(day);
}
