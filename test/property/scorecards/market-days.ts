/** A market that lives day by day: a worker scores its payments, labels are accepted, and nights build tables in between. */
import { acceptLabels } from '../../../src/core/accept/accept-labels.ts';
import type { LabelValue } from '../../../src/core/domain/label.ts';
import { declaredOf } from '../../../src/core/domain/metadata.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { buildTable } from '../../../src/core/repair/night/build-table.ts';
import { createRandom, type Random } from '../../../src/kit/random.ts';
import { engineOf } from '../../../src/kit/words/principal.ts';
import { DAY_MS, HOUR_MS } from '../../../src/kit/words/range.ts';
import { openLabelIngest } from '../../support/label-ingest.ts';
import { idAt } from '../../support/stored-rows.ts';
import type { WorkerRig } from '../../support/worker-rig.ts';
import { ARRIVED_MS, commit } from '../profile/arrivals.ts';

export const MATURITY_DAYS = 1;
const SETTINGS = { RISK_LABEL_MATURITY_DAYS: String(MATURITY_DAYS) };
const FIELDS = new Map([
  ['segment', 'text'],
  ['distance', 'number'],
  ['known', 'boolean'],
] as const);
/** Beside plain words: texts that are equal in another form or case, or mean something to a program. The second é has two characters. */
const SEGMENTS = [
  ...['gold', 'Gold', '', '\u00e9', 'e\u0301', '__proto__', 'constructor', '12', '🦊', ' gold'],
  ...['x'.repeat(64), 'y'.repeat(500), 12, true, null],
];
const ACCOUNTS = 300;
const LABELS_MAX = 1000;
const APPENDED = 1000;
const SETTLED_MS = 300_000;

type Told = { readonly label: LabelValue; readonly atMs: number };
export type Payment = {
  readonly transaction: Transaction & { readonly metadata: object };
  /** In the order of their times. */
  readonly labels: readonly Told[];
};

/** Labels are posted once their payments are scored, however late they say that they became known. */
export type Step = { readonly night: number } | { readonly payments: readonly Payment[] };

/** Makes the payments of a day, of which three in twenty are frauds. @param day since 1970 */
export function makePayments(day: number, count: number, seed: string): Payment[] {
  const random = createRandom(`${seed} ${day}`);
  const made = Array.from({ length: count }, (_, nth) => makePayment(day, nth, random));
  return made.sort((left, right) => left.transaction.createdAtMs - right.transaction.createdAtMs);
}

function makePayment(day: number, nth: number, random: Random): Payment {
  /** Small numbers are common, and great ones rare. */
  const skewed = (most: number) => Math.floor(most * random() ** 3);
  const below = (most: number) => Math.floor(most * random());
  const isShared = random() < 0.03;
  const isFraud = random() < 0.15;
  const hour = isFraud && random() < 0.6 ? 5 * random() : 24 * random();
  // The first payment of a day is at 00:00:00.000.
  const createdAtMs = day * DAY_MS + (nth === 0 ? 0 : Math.floor(hour * HOUR_MS));
  const common = random() < 0.5;
  const metadata = {
    segment: common ? SEGMENTS[skewed(SEGMENTS.length)] : `shop ${skewed(400)}`,
    distance:
      nth % 50 === 1 ? [1e308, -1, -0, 1e-9, 999][skewed(5)] : Math.floor(10 ** (4 * random())),
    known: random() < 0.2 ? 'true' : random() < 0.5,
    note: 'is not declared',
  };
  const currency = (['USD', 'USD', 'JPY', 'KWD'] as const)[skewed(4)] ?? 'USD';
  const worth = (isFraud ? 300 : 20) * 10 ** random();
  return {
    transaction: {
      transactionId: idAt(createdAtMs, Math.floor(random() * 2 ** 40) * 4096 + nth),
      ...{ createdAtMs, receivedAtMs: createdAtMs, metadata, currency, corridor: 'US-EG' },
      accountId: `acc_${skewed(ACCOUNTS)}`,
      merchantId: `m_${skewed(40)}`,
      amount: currency === 'USD' ? worth.toFixed(2) : worth.toFixed(0),
      ip: isShared ? '2001:db8::7' : random() < 0.9 ? `203.0.${below(250)}.${below(250)}` : null,
      deviceId: isShared ? 'till' : random() < 0.8 ? `device_${below(400)}` : null,
      country: random() < 0.9 ? 'US' : null,
      type: random() < (isFraud ? 0.7 : 0.2) ? 'cashout' : 'purchase',
      channel: random() < 0.5 ? 'app' : null,
      declared: declaredOf(metadata, FIELDS),
    },
    labels: makeLabels(createdAtMs, isFraud, random),
  };
}

/** Labels of a fraud, and of some others; one in ten is taken back later, at midnight or a millisecond after. */
function makeLabels(createdAtMs: number, isFraud: boolean, random: Random): Told[] {
  if (!isFraud && random() < 0.9) return [];
  const atMs = createdAtMs + Math.floor((0.3 + 2.7 * random() ** 2) * DAY_MS);
  const label = isFraud ? 'fraud' : 'legitimate';
  if (random() < 0.9) return [{ label, atMs }];
  const midnight = (Math.floor(atMs / DAY_MS) + 1) * DAY_MS;
  const other = isFraud ? 'legitimate' : 'fraud';
  return [
    { label, atMs },
    { label: other, atMs: midnight + Math.floor(2 * random()) },
  ];
}

/** Declares fields, names a group and imports rates of one currency. */
export async function prepareMarket({ database: { sql } }: WorkerRig, days: readonly number[]) {
  for (const [name, type] of FIELDS) {
    await sql(
      `insert into metadata_fields (name, type, description, declared_by) values ($1, $2, 'd', 'Cy')`,
      [name, type],
    );
  }
  await sql(
    `insert into scorecard_groups (field, reason, named_by) values ('metadata.segment', 'r', 'Cy')`,
  );
  for (const [nth, day] of days.entries()) {
    await sql(
      `insert into exchange_rates (currency, day, usd) values ('JPY', date '1970-01-01' + $1::int4, $2)`,
      [day, 0.007 + nth / 1e4],
    );
  }
}

/** Lets a worker with one stream take the steps; a worker that begins knows each table at once. */
export async function live(rig: WorkerRig, steps: readonly Step[]): Promise<void> {
  const ingest = openLabelIngest(rig);
  const reporter = { client: 'default', identity: null, clientSeen: null };
  let worker = rig.startWorker(SETTINGS);
  let [arrived, scored] = [0, 0];
  for (const step of steps) {
    if ('night' in step) {
      const by = engineOf('test');
      const signal = new AbortController().signal;
      await buildTable(rig.pool, { day: step.night, maturityDays: MATURITY_DAYS, by, signal });
      await worker.stop();
      worker = rig.startWorker(SETTINGS);
      continue;
    }
    const rows = step.payments.map(({ transaction }) => ({
      ...transaction,
      receivedAtMs: ARRIVED_MS + ++arrived,
    }));
    await commit(rig.pool, rows);
    for (let from = 0; from < rows.length; from += APPENDED)
      await rig.append(rows.slice(from, from + APPENDED));
    scored += rows.length;
    await rig.settled(scored, SETTLED_MS);
    const inputs = step.payments.flatMap(({ transaction, labels }) =>
      labels.map(({ label, atMs }) => ({
        ...{ transaction_id: transaction.transactionId, label, source: 'bank' },
        labelled_at: new Date(atMs).toISOString(),
      })),
    );
    for (let from = 0; from < inputs.length; from += LABELS_MAX) {
      const request = { ...reporter, inputs: inputs.slice(from, from + LABELS_MAX) };
      const { kind } = await acceptLabels(ingest, request, ARRIVED_MS + ++arrived);
      if (kind !== 'accepted') throw new Error(`labels are ${kind}`);
    }
  }
  await worker.stop();
}
