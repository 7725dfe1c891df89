/**
 * Goal: no request holds the thread that answers all others. Method: an API process says the longest processor time between two turns
 * of its event loop, while it does the longest work that each kind of request may ask for.
 */
import { beforeAll, expect, test } from 'vitest';
import { default4 } from '../../src/core/score/rules/default-4.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { createDraft } from '../../src/rooms/rules/rule-set-change.ts';
import { openForFile } from '../support/open-for-file.ts';
import { makeOfficer } from '../support/rooms/rules/officers.ts';
import { spawnRunningApi } from '../support/running-api.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { answerOf, input } from '../support/submit.ts';
import { insertWideModel, wideModel } from '../support/wide-model.ts';

const DEADLINE_MS = 60_000;
const PRELOADED = new URL('../support/watch-turns.ts', import.meta.url).href;

async function startWatchedApi(environment: Readonly<Record<string, string>> = {}) {
  const api = await spawnRunningApi({ NODE_OPTIONS: `--import=${PRELOADED}`, ...environment });
  let readings = 0;
  return {
    ...api,
    /** The longest processor time in ms between two turns of the event loop since the last question. */
    async longestTurn() {
      readings += 1;
      api.process.kill('SIGUSR2');
      const said = new RegExp(`reading ${readings}: (\\S+) ms`);
      const [, longest] = await api.process.waitFor(said, DEADLINE_MS);
      return Number(longest);
    },
  };
}

/** Processor time in ms. */
const TURN_MS_MAX = 50;
/** An explanation waits for those before it, and the other processes of the tests take their part of the processor. */
const api = await openForFile(startWatchedApi({ RISK_REQUEST_TIMEOUT_MS: '120000' }));

const evaluate = async (model: string) =>
  await answerOf(
    await api.post(`/v1/evaluate?method=shapley&model=${model}`, {
      ...input(),
      created_at: '2026-01-01T00:00:00Z',
    }),
  );

test('three exact explanations of 2,000 trees of 255 leaves stop no payment beside', async () => {
  const model = await insertWideModel(api.database, 'wide@1', wideModel(2000, 255));
  await api.post('/v1/transactions', input());
  await evaluate('none');
  await api.longestTurn();
  let isOver = false;
  const explaining = Promise.all([1, 2, 3].map(() => evaluate(model))).finally(() => {
    isOver = true;
  });
  const statuses: number[] = [];
  while (!isOver) statuses.push((await api.post('/v1/transactions', input())).status);
  const explained = await explaining;
  expect(explained.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(explained[0]?.body.explanation.model).toMatchObject({ model, method: 'shapley' });
  expect(explained[1]?.body.explanation).toEqual(explained[0]?.body.explanation);
  expect(new Set(statuses)).toEqual(new Set([201]));
  expect(statuses.length).toBeGreaterThan(20);
  expect(await api.longestTurn()).toBeLessThan(TURN_MS_MAX);
});

const each = <Item>(count: number, itemOf: (nth: number) => Item) =>
  Array.from({ length: count }, (_, nth) => itemOf(nth));
const LINES = 'application/x-ndjson';
const BATCH = '/v1/transactions/batch';
const IMPORTS = '/v1/lists/stolen/imports?reason=test';

const longRule = (nth: number) => ({
  ...{ id: `rule-${nth}`, sentence: 'A sentence.', code: `RULE_${nth}`, weight: 0.1 },
  when: each(45, (at) => `count_1h > ${nth * 100 + at}.5`).join(' || '),
});
const longRuleSet = (id: string) => ({
  ...{ version: 2 as const, id, feature_schema: 3, rules: each(220, longRule) },
  verdicts: { all: { review: 500, decline: 800 } },
});
const wrong = (nth: number) => ({
  ...{ idempotency_key: nth, account_id: '', merchant_id: 'm\u0000', amount: 'a', currency: 'XXX' },
  ...{ corridor: 'nowhere', created_at: 'today', type: '', ip: 'here', device_id: 7, country: 'U' },
  ...{ channel: '', metadata: 3, accountid: 'a', merchantid: 'b', devise_id: 'c' },
});
const large = () => input({ metadata: { text: 'é'.repeat(2000) } });
const manyFloats = () => input({ metadata: { scores: each(180, Math.random) } });
const wrongLabel = () => ({
  transaction_id: 'x',
  label: 'maybe',
  labelled_at: 'today',
  source: '',
  note: 7,
  idempotency_key: '',
});
const batchOf = (transactionOf: (nth: number) => object) =>
  JSON.stringify({ transactions: each(1000, transactionOf) });

const BACKTEST = '5f2a1c9e-7d0b-4a36-9c58-0d6f1e2b3a47';
const [DAYS, CORRIDORS, POINTS] = [40, 26, 1001];

/** A backtest that is done, with a count of each score on each day. */
async function insertBacktest(): Promise<void> {
  const { id, sha256 } = currentRuleSet;
  const version = { rule_set: id, sha256, corridors: {}, model: null };
  const free = Object.fromEntries(each(POINTS, (score) => [score, [1, 0, 0]]));
  const ofCorridor = { free, reviewed: {}, fixed: each(3, () => [0, 0, 0]) };
  const corridors = each(CORRIDORS, (nth) => [`A${String.fromCharCode(65 + nth)}-EG`, ofCorridor]);
  const [question, sources, report, counts] = [
    { corridor: null, subject: version, against: version },
    { [sha256]: default4 },
    { rows: DAYS * CORRIDORS * POINTS },
    Object.fromEntries(corridors),
  ].map((value) => JSON.stringify(value).replaceAll("'", "''"));
  await api.testDatabase.sql(`
    insert into backtests (backtest_id, state, question, sources, report, report_sha256, requested_by, requested_by_key, ended_at)
    select '${BACKTEST}', 'done', '${question}', '${sources}', '${report}', 'x', 'test', min(key_id), now() from api_keys;
    insert into backtest_days select '${BACKTEST}', date '2026-01-01' + n, '${counts}' from generate_series(1, ${DAYS}) n`);
}

beforeAll(async () => {
  const ann = await makeOfficer(api.testDatabase, 'Ann');
  for (const nth of each(20, (nth) => nth + 1))
    await createDraft(api.database, longRuleSet(`long@${nth}`), ann);
  const list = { effect: 'watch', kind: 'device', description: 'For the test.' };
  await api.post('/v1/lists', { name: 'stolen', ...list });
  await insertBacktest();
  const nowMs = Date.now();
  const rows = each(20_000, (nth) => ({ createdAtMs: nowMs - nth * 10_000, score: nth % 1000 }));
  await storeTransactions(api.database, rows);
});

const source = () => longRuleSet('other@1');
const body = (value: unknown) => JSON.stringify(value);

test.each<[what: string, status: number, path: string, body?: () => string, type?: string]>([
  ['a batch of large metadata', 200, BATCH, () => batchOf(large)],
  ['a batch of many floats', 200, BATCH, () => batchOf(manyFloats)],
  [
    'lines of many floats',
    200,
    BATCH,
    () => each(1000, () => body(manyFloats())).join('\n'),
    LINES,
  ],
  [
    'a batch whose last number loses digits',
    422,
    BATCH,
    () => batchOf(manyFloats).replace(/\d\]\}\}\]\}$/, '12345678901]}}]}'),
  ],
  ['a batch of wrong labels', 422, '/v1/labels', () => body({ labels: each(1000, wrongLabel) })],
  ['a batch of wrong transactions', 422, BATCH, () => batchOf(wrong)],
  ['a body that is no JSON', 400, BATCH, () => `${batchOf(() => input()).slice(0, -2)},`],
  [
    'lines that are no JSON',
    200,
    BATCH,
    () => each(1000, () => body(large()).slice(1)).join('\n'),
    LINES,
  ],
  [
    'lines of wrong transactions',
    200,
    BATCH,
    () => each(1000, (nth) => body(wrong(nth))).join('\n'),
    LINES,
  ],
  ['a rule set of 250 KiB', 200, '/v1/rule-sets/check', () => body(source())],
  [
    'a backtest of a rule set of 250 KiB',
    202,
    '/v1/backtests',
    () => body({ from: '2026-01-01', to: '2026-01-02', source: source() }),
  ],
  [
    'a decision of 10,000 cases',
    422,
    '/v1/reviews/decide',
    () => body({ cases: each(10_000, String), disposition: 'fraud', reason: 'test' }),
  ],
  ['the list of long rule sets', 200, '/v1/rule-sets'],
  ['bands of a backtest', 200, `/v1/backtests/${BACKTEST}/bands?review=400&decline=900`],
  [
    'an import of lines',
    200,
    IMPORTS,
    () => each(50_000, (nth) => body({ value: `d-${nth}` })).join('\n'),
    LINES,
  ],
  [
    'an import of wrong lines',
    422,
    IMPORTS,
    () => each(50_000, () => '{"value":3}').join('\n'),
    LINES,
  ],
  [
    'an import of CSV',
    200,
    IMPORTS,
    () => `value\n${each(50_000, (nth) => `d-${nth}`).join('\n')}`,
    'text/csv',
  ],
  ['an export of CSV', 200, '/v1/exports/transactions?format=csv'],
  ['an export of Parquet', 200, '/v1/exports/transactions?format=parquet'],
])('%s does not hold the thread', async (_, status, path, bodyOf, type = 'application/json') => {
  const init = bodyOf && { method: 'POST', body: bodyOf(), headers: { 'Content-Type': type } };
  await api.longestTurn();
  const answered = await api.request(path, init);
  const text = await answered.text();
  expect([answered.status, text.slice(0, 300)]).toEqual([status, expect.any(String)]);
  const longest = await api.longestTurn();
  expect(longest).toBeLessThan(TURN_MS_MAX);
});
