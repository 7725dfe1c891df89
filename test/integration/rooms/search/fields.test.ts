/**
 * Goal: `fields` leaves out of an answer what it does not name, and nothing else. Method: whole answers of an API, and selections
 * of fields drawn at random, which an oracle makes of the whole answers.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ROLES } from '../../../../src/kit/words/principal.ts';
import { FIELD_NAMES } from '../../../../src/rooms/search/queries/fields.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { NOVEMBER } from '../../../support/reads.ts';
import { putControl } from '../../../support/rooms/corridors/requests.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf, labelInput } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const IDS = [1, 2, 3].map((n) => idAt(NOVEMBER, n));
const [ID = ''] = IDS;

const api = await openForFile(startRunningApi());
const createdAtMs = NOVEMBER;
await storeTransactions(
  api.database,
  IDS.map((id, at) => ({
    ...{ id, createdAtMs, amount: `${at + 1}.00` },
    ...(at < 2 && { score: 500 + at, reasons: ['VELOCITY_COUNT_1H'] }),
  })),
);
await api.testDatabase.sql(`update transactions set metadata = '{"a": 1}'`);
await api.post('/v1/labels', { labels: [labelInput({ transaction_id: ID })] });

type Row = Readonly<Record<string, unknown>>;
/** Asks twice, so that an answer in memory is used, too. */
async function ask(path: string): Promise<{ status: number; body: Row }> {
  const [first, again] = [await answerOf(await api.request(path)), await api.request(path)];
  expect((await answerOf(again)).body).toEqual(first.body);
  return first;
}

/** Cuts a whole row by names that may have a dot. */
function cut(row: Row, fields: readonly string[]): Row {
  const named = new Set(['transaction_id', ...fields]);
  const cutOf = ([name, value]: [string, unknown]): [string, unknown][] => {
    if (named.has(name)) return [[name, value]];
    const parts = [...named].filter((one) => one.startsWith(`${name}.`));
    if (parts.length === 0) return [];
    const inner = Object.entries(Object(value)).filter(([part]) => named.has(`${name}.${part}`));
    return [[name, value === null ? null : Object.fromEntries(inner)]];
  };
  return Object.fromEntries(Object.entries(row).flatMap(cutOf));
}

describe.each([
  ['/v1/transactions', FIELD_NAMES.foundTransaction],
  [`/v1/transactions/${ID}`, FIELD_NAMES.transaction],
  [`/v1/scores/${ID}`, FIELD_NAMES.score],
])('%s', (path, names) => {
  const rowsOf = (body: Row) => (Array.isArray(body['items']) ? (body['items'] as Row[]) : [body]);

  test('has the fields that are named', async () => {
    const whole = await ask(path);
    expect(whole.status).toBe(200);
    await fc.assert(
      fc.asyncProperty(fc.subarray([...names], { minLength: 1 }), async (fields) => {
        const { status, body } = await ask(`${path}?fields=${fields.join(',')}`);
        expect(status).toBe(200);
        expect(rowsOf(body)).toEqual(rowsOf(whole.body).map((row) => cut(row, fields)));
        const { items: _, ...page } = body;
        const { items: __, ...wholePage } = whole.body;
        if ('items' in whole.body) expect(page).toEqual(wholePage);
      }),
      { numRuns: 8 },
    );
    expect((await ask(path)).body).toEqual(whole.body);
  });
});

test('a freeze is said, whatever is asked for', async () => {
  const key = await insertPersonKey(api.testDatabase, 'Zoe', ROLES);
  const frozen = await putControl(api, 'freeze', 'corridor:US-EG', {}, key);
  expect(frozen.status).toBe(200);
  const path = `/v1/scores/${ID}?fields=verdict`;
  const isOnHold = async () => 'releases_held' in (await answerOf(await api.request(path))).body;
  await waitUntil(isOnHold, 5000, 'the freeze');
  const held = { transaction_id: ID, verdict: 'review', releases_held: true };
  expect((await ask(path)).body).toEqual(held);
  const { body } = await ask('/v1/transactions?fields=score.verdict&max_score=500');
  const score = { verdict: 'review', releases_held: true };
  expect(body['items']).toEqual([{ transaction_id: ID, score }]);
});
