/** Compares stored tables and vectors with SQL, over a market that lived through a worker and nights. */
import { expect } from 'vitest';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import type { DayTable } from '../../../src/core/score/scorecard/day-table.ts';
import { readTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { toVector } from '../../../src/core/store/scores/score-values.ts';
import { named } from '../../support/fold-one.ts';
import { SLOTS } from '../../support/market-table.ts';
import { features } from '../../support/oracle/features.ts';
import type { MerchantHistory } from '../../support/oracle/histories.ts';
import { createWorkerRig } from '../../support/worker-rig.ts';
import { defineAccounts, defineShared } from '../profile/definition.ts';
import { defineTable } from './definition.ts';
import { live, MATURITY_DAYS, makePayments, prepareMarket, type Step } from './market-days.ts';

const FIRST = 20_600;
const CHUNK = 1000;
const COMPARED = [
  ...[
    'hour_surprise',
    'cell_amount_lift',
    'type_lift',
    'channel_lift',
    'device_accounts_30d',
    'ip_accounts_24h',
  ],
  ...['device_age_hours', 'ip_age_hours', 'device_frauds', 'ip_frauds'],
  ...['segment_lift', 'distance_tail', 'known_lift'],
];

const isNear = (value: number, defined: number) =>
  Object.is(value, defined) || Math.abs(value - defined) <= 1e-9 * Math.max(1, Math.abs(defined));

/** Numbers by name, so that a difference names itself. */
function numbersOf({ hours, lifts, cells, tails }: DayTable): Map<string, number> {
  const numbers = new Map<string, number>();
  hours.forEach((share, hour) => void numbers.set(`hour ${hour}`, share));
  for (const [field, { byValue, others }] of [...lifts, ['cell', cells] as const]) {
    numbers.set(`others of ${field}`, others);
    for (const [value, lift] of byValue) numbers.set(`${field} ${value}`, lift);
  }
  for (const [field, { above }] of tails)
    above.forEach((count, bucket) => void numbers.set(`${field} ${bucket}`, count));
  return numbers;
}

function differences(
  names: Iterable<string>,
  stored: (name: string) => number | undefined,
  defined: (name: string) => number | undefined,
) {
  return [...names].flatMap((name) =>
    isNear(stored(name) ?? Number.POSITIVE_INFINITY, defined(name) ?? Number.NEGATIVE_INFINITY)
      ? []
      : [{ name, stored: stored(name), defined: defined(name) }],
  );
}

type Row = { readonly id: string; readonly features: Buffer; readonly arrivedMs: number };

/** Lets payments come through a worker for so many days, and compares all tables and vectors. */
export async function compareMarket(
  days: number,
  paymentsADay: number,
): Promise<{ payments: number; names: number }> {
  await using rig = await createWorkerRig();
  const all = Array.from({ length: days }, (_, nth) => FIRST + nth);
  await prepareMarket(rig, all);
  const made = all.map((day) => ({ day, payments: makePayments(day, paymentsADay, 'sql') }));
  await live(
    rig,
    made.flatMap(({ day, payments }): Step[] =>
      day === FIRST ? [{ payments }] : [{ night: day }, { payments }],
    ),
  );
  const { query } = rig.pool;
  const transactions = new Map<string, Transaction>(
    made.flatMap(({ payments }) =>
      payments.map(({ transaction }) => [transaction.transactionId, transaction] as const),
    ),
  );
  let names = 0;
  for (const { day, payments } of made) {
    const [head] = await rig.database.sql<{ serial: number }>(
      `select serial from scorecards where day = date '1970-01-01' + $1::int4`,
      [day],
    );
    const table = head === undefined ? null : await defineTable(query, day, MATURITY_DAYS);
    if (head !== undefined && table !== null) {
      const stored = numbersOf((await readTable(query, head.serial))?.table ?? table);
      const defined = numbersOf(table);
      names = Math.max(names, table.lifts.get('metadata.segment')?.byValue.size ?? 0);
      expect({
        day,
        differing: differences(
          new Set([...stored.keys(), ...defined.keys()]),
          (name) => stored.get(name),
          (name) => defined.get(name),
        ),
      }).toEqual({ day, differing: [] });
    }
    for (let from = 0; from < payments.length; from += CHUNK) {
      const ids = payments
        .slice(from, from + CHUNK)
        .map(({ transaction }) => transaction.transactionId);
      const rows = await query<Row>(
        {
          text: `select s.transaction_id as id, s.features, extract(epoch from t.received_at)::float8 * 1000 as "arrivedMs"
                   from unnest($1::uuid[]) with ordinality u (id, nth)
                   join market.scores s on s.transaction_id = u.id join market.transactions t on t.transaction_id = u.id order by nth`,
        },
        [ids],
      );
      expect(rows.map(({ id }) => id)).toEqual(ids);
      const asked = rows.map(({ id, arrivedMs }) => ({
        transactionId: id,
        knownUntilMs: Math.round(arrivedMs),
      }));
      const accounts = await defineAccounts(query, asked);
      const devices = await defineShared(query, 'device', asked);
      const addresses = await defineShared(query, 'address', asked);
      rows.forEach(({ id, features: stored }, nth) => {
        const [transaction, account] = [transactions.get(id), accounts[nth]];
        if (transaction === undefined || account === undefined)
          throw new Error('one definition a payment');
        const vector = features(
          transaction,
          account,
          {} as MerchantHistory,
          table,
          SLOTS,
          devices[nth],
          addresses[nth],
        );
        const [have, want] = [named(toVector(stored), SLOTS), named(vector, SLOTS)].map(
          (of) => (name: string) => of[name as keyof typeof of],
        );
        if (have === undefined || want === undefined) throw new Error('two vectors');
        expect({ id, differing: differences(COMPARED, have, want) }).toEqual({ id, differing: [] });
      });
    }
  }
  return { payments: transactions.size, names };
}
