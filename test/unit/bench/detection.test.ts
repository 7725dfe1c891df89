/** Goal: the bench of detection reads the files of each process, labels what people would, and measures whole weeks. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { delayDaysOf, labelledOf } from '../../../bench/detection/labels.ts';
import { findProcess } from '../../../bench/detection/processes.ts';
import { type Day, type Payment, readDays } from '../../../bench/detection/published-days.ts';
import { lostWeeks, meansOf, measureWeeks, weekStarts } from '../../../bench/detection/weeks.ts';

const DAY_MS = 86_400_000;

async function folderOf(files: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'detection-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(join(folder, name), gzipSync(`${lines.join('\n')}\n`));
  }
  return folder;
}

const CARDSIM = {
  'cardsim.transactions.csv.gz': [
    'transaction_id,created_at,account_id,amount,currency,merchant,credit_card,remote,distance',
    'CS1,2023-01-01T23:59:59Z,P1,12.50,USD,S1,credit,present,2.5',
    'CS2,2023-01-02T00:00:00Z,P2,0.00,USD,S1,credit,present,2.5',
    'CS3,2023-01-02T00:00:01Z,P2,7.00,USD,S2,debit,remote,',
  ],
  'cardsim.labels.csv.gz': [
    'transaction_id,created_at,customer_id,is_fraud,fraud_scenario',
    'CS1,2023-01-01T23:59:59Z,P1,0,0',
    'CS3,2023-01-02T00:00:01Z,P2,1,1',
  ],
};
const HANDBOOK = {
  'handbook_tx_dev.csv.gz': [
    'transaction_id,created_at,customer_id,terminal_id,amount,is_fraud,fraud_scenario',
    '7,2018-04-01T00:00:31Z,596,3156,57.16,1,3',
  ],
};

describe('readDays()', () => {
  test('reads the declared fields of cardsim, and labels from the other file; nothing paid is no payment', async () => {
    const folder = await folderOf(CARDSIM);
    expect(await readDays(folder, findProcess(folder, undefined))).toEqual([
      {
        startMs: Date.parse('2023-01-01'),
        payments: [
          {
            ...{ id: 'CS1', createdAt: '2023-01-01T23:59:59Z', customer: 'P1', terminal: 'S1' },
            ...{ amount: '12.50', isFraud: false },
            members: { metadata: { credit_card: 'credit', remote: 'present', distance: 2.5 } },
          },
        ],
      },
      {
        startMs: Date.parse('2023-01-02'),
        payments: [
          {
            ...{ id: 'CS3', createdAt: '2023-01-02T00:00:01Z', customer: 'P2', terminal: 'S2' },
            ...{ amount: '7.00', isFraud: true },
            members: { metadata: { credit_card: 'debit', remote: 'remote' } },
          },
        ],
      },
    ]);
  });

  test('reads members of rings where a payment has them, and the labels of the handbook from its own file', async () => {
    const rings = await folderOf({
      'rings.transactions.csv.gz': [
        'transaction_id,created_at,account_id,amount,currency,merchant,category,channel,device_id,ip,country',
        'RG1,2025-01-01T00:00:00Z,a1,3.00,USD,m1,fuel,present,,,US',
      ],
      'rings.labels.csv.gz': ['transaction_id,is_fraud', 'RG1,0'],
    });
    const [day] = await readDays(rings, findProcess(rings, undefined));
    const members = { channel: 'present', country: 'US', metadata: { category: 'fuel' } };
    expect(day?.payments[0]?.members).toEqual(members);
    const handbook = await folderOf(HANDBOOK);
    const [first] = await readDays(handbook, findProcess(handbook, undefined));
    expect(first?.payments[0]).toMatchObject({ id: '7', isFraud: true, members: {} });
  });

  test('a folder of two processes, or of none, needs another name', async () => {
    const both = await folderOf({ ...CARDSIM, ...HANDBOOK });
    expect(() => findProcess(both, undefined)).toThrow('has payments of handbook, cardsim');
    expect(findProcess(both, 'cardsim').name).toBe('cardsim');
    expect(() => findProcess(both, 'rings')).toThrow('name one process');
  });
});

const payment = (id: number, startMs: number, isFraud: boolean): Payment => ({
  ...{ id: String(id), createdAt: new Date(startMs + id).toISOString(), isFraud },
  ...{ customer: `c${id}`, terminal: 't', amount: '1.00', members: {} },
});

describe('labelledOf()', () => {
  const payments = Array.from({ length: 40 }, (_, id) => payment(id, 0, true));

  test('alerts are the twentieth of a day with the greatest margins, without ties at the bound', () => {
    const alertsBy = (margins: readonly number[]) =>
      labelledOf('alerts', payments, margins, 5).map(({ id }) => id);
    expect(alertsBy(payments.map((_, nth) => -nth))).toEqual(['0', '1']);
    expect(alertsBy(payments.map((_, nth) => (nth === 7 ? 1 : 0)))).toEqual(['7']);
  });

  test('a fifth of the frauds is never reported, and every payment else', () => {
    const many = Array.from({ length: 2000 }, (_, id) => payment(id, 0, id < 1000));
    const reported = labelledOf('fifth', many, [], 5);
    const frauds = reported.filter(({ isFraud }) => isFraud).length;
    expect(reported.length - frauds).toBe(1000);
    expect(frauds).toBeGreaterThan(760);
    expect(frauds).toBeLessThan(840);
  });

  test('full and late are all payments, late a day later; none is none', () => {
    expect(labelledOf('full', payments, [], 5)).toBe(payments);
    expect(labelledOf('late', payments, [], 5)).toBe(payments);
    expect(labelledOf('none', payments, [], 5)).toEqual([]);
    expect(delayDaysOf('late') - delayDaysOf('full')).toBe(1);
  });
});

describe('measureWeeks()', () => {
  // A day has two payments, of which the second is fraud; a customer pays once.
  const days: Day[] = Array.from({ length: 45 }, (_, day) => {
    const startMs = day * DAY_MS;
    return { startMs, payments: [0, 1].map((nth) => payment(2 * day + nth, startMs, nth === 1)) };
  });
  const all = days.flatMap(({ payments }) => payments);
  const best = all.map(({ isFraud }) => (isFraud ? 1 : 0));
  const scores = {
    amount: all.map(() => 1),
    rules: best,
    scorecard: best.map((one, nth) => nth - 1000 * one),
  };

  const NOTHING = { amount: 0, rules: 0, scorecard: 0 };

  test('weeks are whole, and begin where the process says', () => {
    expect(weekStarts(days, 3).map((ms) => ms / DAY_MS)).toEqual([3, 10, 17, 24, 31, 38]);
    expect(weekStarts(days.slice(0, 9), 3)).toEqual([]);
  });

  test('each scorer has its own precision, a week its known frauds, and the mean begins at day 28', () => {
    const weeks = measureWeeks(days, weekStarts(days, 0), scores, all);
    const [first, second] = weeks;
    expect(first).toMatchObject({ payments: 14, frauds: 7, known: 0 });
    expect(second?.known).toBe(0);
    expect(weeks[2]?.known).toBe(6);
    expect(first?.precisions).toMatchObject({ amount: 0.5, rules: 1 });
    expect(first?.precisions.scorecard).toBeLessThan(0.5);
    const withNone = weeks.map((week, nth) => (nth === 5 ? { ...week, frauds: 0 } : week));
    expect(meansOf(withNone, 0)).toMatchObject([{ amount: 0.5, rules: 1 }, { rules: 1 }]);
    const before = weeks.map((week, nth) => (nth < 4 ? { ...week, precisions: NOTHING } : week));
    expect(meansOf(before, 0)[0]?.rules).toBe(1);
  });

  test('a week with a payment that trees did not judge is in no mean of theirs', () => {
    const trees = best.map((one, nth) => (nth < 70 ? Number.NaN : one));
    const weeks = measureWeeks(days, weekStarts(days, 0), { ...scores, trees }, all);
    const none = Number.NaN;
    expect(weeks.map((week) => week.precisions.trees)).toEqual([none, none, none, none, none, 1]);
    expect(meansOf(weeks, 0)).toMatchObject([
      { trees: 1 },
      { trees: 1 },
      { weeks: 'with trees', trees: 1, amount: 0.5 },
    ]);
  });

  test('a week that begins with 100 known frauds names what the scorecard has lost', () => {
    const [week] = measureWeeks(days, [0], scores, all);
    if (week === undefined) throw new Error('no week');
    expect(lostWeeks([{ ...week, known: 99 }])).toEqual([]);
    expect(lostWeeks([{ ...week, known: 100 }])).toEqual([
      expect.stringMatching(
        /^the week of 1970-01-01: 0\.\d+ by the scorecard, 1\.000 by the rules$/,
      ),
    ]);
    const near = { ...week.precisions, rules: 0.5, scorecard: 0.49 };
    expect(lostWeeks([{ ...week, known: 100, precisions: near }])).toEqual([]);
  });
});
