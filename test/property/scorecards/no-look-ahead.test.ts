/**
 * Goal: nothing that was unknown at a moment is in a score or a table of before. Method: two lives of a market through a worker and
 * nights; in the second one each label that was unknown at the moment is a coin, and other payments come after the moment. Some
 * payments of before arrive once a night knows labels of after.
 */
import { expect, test } from 'vitest';
import { KNOWN_FRAUDS_MIN } from '../../../src/core/score/scorecard/scorecard.ts';
import { createRandom } from '../../../src/kit/random.ts';
import { DAY_MS, HOUR_MS } from '../../../src/kit/words/range.ts';
import { createWorkerRig } from '../../support/worker-rig.ts';
import { live, makePayments, type Payment, prepareMarket, type Step } from './market-days.ts';

const [FIRST, DAYS, PAYMENTS] = [20_600, 7, 140];
const days = Array.from({ length: DAYS }, (_, nth) => FIRST + nth);
const MOMENT_DAY = FIRST + DAYS - 2;
const MOMENT_MS = MOMENT_DAY * DAY_MS + 15 * HOUR_MS;

const isBefore = ({ transaction }: Payment) => transaction.createdAtMs < MOMENT_MS;

function coinLabels(payment: Payment, random: () => number): Payment {
  const labels = payment.labels.filter(({ atMs }) => atMs <= MOMENT_MS);
  const atMs = MOMENT_MS + 1 + Math.floor(random() * DAY_MS);
  return {
    ...payment,
    labels: [...labels, { label: random() < 0.5 ? 'fraud' : 'legitimate', atMs }],
  };
}

function makeSteps(isOther: boolean): Step[] {
  const random = createRandom('coin');
  const steps: Step[] = [];
  let late: Payment[] = [];
  for (const day of days) {
    if (day >= MOMENT_DAY) steps.push({ night: day });
    if (late.length > 0) steps.push({ payments: late });
    const made = makePayments(day, PAYMENTS, 'same');
    const before = made.filter(isBefore).map((of) => (isOther ? coinLabels(of, random) : of));
    const after = (isOther ? makePayments(day, PAYMENTS + 30, 'other') : made).filter(
      (of) => !isBefore(of),
    );
    late = day === MOMENT_DAY ? before.filter((_, nth) => nth % 5 === 0) : [];
    steps.push({ payments: [...before.filter((of) => !late.includes(of)), ...after] });
  }
  return steps;
}

/** Lives once, and reads scores and tables of before the moment and of after it. */
async function liveOnce(isOther: boolean) {
  await using rig = await createWorkerRig();
  await prepareMarket(rig, days);
  await live(rig, makeSteps(isOther));
  const read = (sql: string) => rig.database.sql(sql, [new Date(MOMENT_MS)]);
  const scores = (order: string) =>
    read(`select s.transaction_id, s.score, s.risk, s.verdict, s.reasons::text, s.margin, encode(s.features, 'hex') as vector,
                 encode(c.sha256, 'hex') as "table"
            from scores s left join scorecards c on c.serial = s.scorecard where s.created_at ${order} $1 order by 1`);
  const tables = (order: string) =>
    read(
      `select day::text, encode(sha256, 'hex') as sha256, frauds from scorecards where day ${order} ($1 at time zone 'UTC')::date order by 1`,
    );
  return {
    before: [await scores('<'), await tables('<=')],
    after: [await scores('>='), await tables('>')],
  };
}

test('labels that are unknown at a moment, and payments after it, change no score, vector, margin and table of before', async () => {
  const [one, other] = await Promise.all([liveOnce(false), liveOnce(true)]);
  expect(other.before).toEqual(one.before);
  const [scores = [], tables = []] = one.before;
  expect(scores.length).toBeGreaterThan(PAYMENTS * (DAYS - 2));
  expect(Object(tables.at(-1)).frauds).toBeGreaterThanOrEqual(KNOWN_FRAUDS_MIN);
  expect(other.after[1]).not.toEqual(one.after[1]);
});
