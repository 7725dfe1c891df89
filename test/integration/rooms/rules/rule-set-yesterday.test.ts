/**
 * Goal: people learn from yesterday what the rules of a draft hit, and a slip that declines everybody is not submitted. Method: 400
 * scores of yesterday with known features; an API process answers.
 */
import { expect, test } from 'vitest';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { insertPlainScores } from '../../../support/delivered.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { always, makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { makeVector } from '../../../unit/core/score/vector.ts';

const DAY_MS = 86_400_000;
const ROWS = 400;
const YESTERDAY_MS = (Math.floor(Date.now() / DAY_MS) - 1) * DAY_MS;
const atMs = (row: number) => YESTERDAY_MS + row * 60_000;

/** A rule set that asked a list and two rates decided a quarter of the scores. */
const recordedOf = (row: number) =>
  row % 4 === 1
    ? {
        ...{ 'in_list.stolen': row % 8 === 1, 'rate.GBP': 0.5 },
        ...(row % 20 === 1 ? { 'rate.CHF': 1 } : {}),
      }
    : null;

const api = await openForFile(startRunningApi());
const key = (await makeOfficer(api.testDatabase, 'Ann', ['analyst'])).key;
await ensurePartitions(api.database, [monthOf(atMs(0)), monthOf(atMs(ROWS))]);
const ids = Array.from({ length: ROWS }, (_, row) => idAt(atMs(row), row));
const decision = {
  ...{ score: 0, risk: 0, probability: null, verdict: 'approve' as const },
  reasons: [],
};
const scores = ids.map((transactionId, row) => ({
  ...{ transactionId, createdAtMs: atMs(row), accountId: 'acc_1', decision },
  corridor: row % 4 === 0 ? 'US-MX' : 'US-EG',
  features: makeVector({ amount: row, siblings: row % 10 }),
  ...{ model: null, attempts: 1, degradation: 0 as const, ruleSet: currentRuleSet.id },
  ruleInputs: recordedOf(row),
}));
await storeTransactions(
  api.database,
  scores.map(({ transactionId: id, createdAtMs, corridor }, row) => ({
    ...{ id, createdAtMs, corridor, currency: row % 2 === 0 ? 'EUR' : 'USD' },
  })),
);
await insertPlainScores(api.database, scores, atMs(ROWS));
const rule = (id: string, when: string, more: object = { weight: 0.6 }) => ({
  ...{ id, sentence: 'A sentence.', code: id.toUpperCase().replaceAll('-', '_'), when, ...more },
});
const made = (rules: readonly object[], id = 'own@1') => ({
  ...{ version: 2, id, feature_schema: 3, rules },
  verdicts: { all: { review: 500, decline: 800 } },
});
const ask = (path: string, body?: object) =>
  send(api, body === undefined ? 'GET' : 'POST', `/v1/rule-sets${path}`, body, key);

const hitsOf = async (rules: readonly object[]) =>
  (await ask('/check', made(rules))).body.yesterday;

test('hits of yesterday follow what scores recorded, and the rest is missing', async () => {
  expect(
    await hitsOf([
      rule('many', 'siblings >= 8'),
      rule('mexico', 'true', { weight: 0.1, corridors: ['US-MX'] }),
    ]),
  ).toEqual({
    sampled: ROWS,
    rules: [
      { rule: 'many', hits: 80 },
      { rule: 'mexico', hits: 100 },
    ],
  });
  expect(await hitsOf([rule('wrong', 'amout > 1')])).toBe(null);
  await api.testDatabase.sql(
    `insert into lists (name, effect, kind, description, created_by) values ('stolen', 'block', 'device', 'a list', 'Ann')`,
  );
  const recorded = [
    rule('listed', 'in_list("stolen")'),
    // Even rows are in euros, odd ones in dollars, and their amounts are their numbers.
    rule('euros', 'amount >= money(390, "EUR")'),
    rule('pounds', 'amount >= money(100, "GBP")'),
    rule('dollars', 'currency == "USD"'),
  ];
  const found = await hitsOf(recorded);
  expect(found.rules.map(({ hits }: { hits: number }) => hits)).toEqual([50, 5, 87, 200]);
  const tried = { source: made(recorded), transaction_id: idAt(atMs(392), 392) };
  const { body: one } = await ask('/test', tried);
  expect(one.rules.filter((rule: { fired: boolean }) => rule.fired)).toMatchObject([
    { id: 'euros' },
  ]);
});

test('names of the catalogue have their types and values of yesterday', async () => {
  const { body } = await ask('/catalogue');
  const of = (name: string) => body.items.find((one: { name: string }) => one.name === name);
  expect(body.sampled).toBe(400);
  expect(of('siblings')).toMatchObject({
    ...{ type: 'number', values: { median: 4, p99: 9, missing: 0 } },
  });
  expect(of('amount').type).toBe('amount');
  expect(of('count_1h').values).toBe(null);
  expect([of('corridor').type, of('currency').type]).toEqual(['text', 'text']);
});

test('a rule set that would decline many is submitted by a word of its own', async () => {
  await ask('', made([rule('block', 'siblings >= 3', { verdict: 'decline' })]));
  const refused = await ask('/own@1/submit', {});
  expect([refused.status, refused.body.detail]).toEqual([
    409,
    `own@1 would decline 70.0 % of 400 scores of ${new Date(YESTERDAY_MS).toISOString().slice(0, 10)}, and more than 5.0 % takes accept_declines=true (--accept-declines).`,
  ]);
  expect((await ask('/own@1/submit?accept_declines=true', {})).body.state).toBe('waiting');
  const refusalOf = async (id: string, when: string) => {
    await ask('', made([rule('one', when, { verdict: 'decline' })], id));
    const { state, detail } = (await ask(`/${id}/submit`, {})).body;
    if (state !== undefined) return state;
    return detail.replace(/\d{4}-\d\d-\d\d/, 'DAY').replace(/(?:, and| takes).*/, '');
  };
  expect(await refusalOf('sum@1', 'amount > money(0, "JPY")')).toBe(
    'sum@1 reads rate.JPY, which no score of DAY has recorded',
  );
  expect(await refusalOf('francs@1', 'amount >= money(1000, "CHF")')).toBe(
    'francs@1 reads rate.CHF, which only 20 of 400 scores of DAY have recorded',
  );
  // 2 and 7 of the 100 scores that know the pound: what the others would be is not known.
  expect(await refusalOf('pounds@1', 'amount >= money(780, "GBP")')).toBe('waiting');
  expect(await refusalOf('pounds@2', 'amount >= money(740, "GBP")')).toBe(
    'pounds@2 would decline 7.0 % of 100 scores of DAY',
  );
  await ask('', made([rule('few', 'amount >= amount', { weight: 0.2 })], 'few@1'));
  expect((await ask('/few@1/submit', {})).body.state).toBe('waiting');
});

test('check names line and column, and test says what would be decided', async () => {
  const source = always('tried@1');
  const wrong = { ...source, rules: [{ ...source.rules[0], when: 'amout' }] };
  const checked = await ask('/check', wrong);
  expect(checked.body).toMatchObject({
    sha256: null,
    problems: [{ pointer: '/rules/0/when', line: 1, column: 1 }],
  });
  expect((await ask('/check', source)).body.problems).toEqual([]);
  expect((await ask('', wrong)).body.errors).toMatchObject([{ pointer: '/rules/0/when' }]);
  const named = await ask('/check', { ...source, id: 'default@9' });
  expect(named.body.problems).toMatchObject([{ pointer: '/id' }]);
  const [id = ''] = await storeTransactions(api.database, [{ createdAtMs: Date.now(), score: 1 }]);
  const tried = await ask('/test', { source, features: { amount: 1 } });
  expect(tried.body).toMatchObject({ rule_set: 'tried@1', score: 600, verdict: 'review' });
  const ofScore = await ask('/test', { rule_set: 'default@4', transaction_id: id });
  expect([ofScore.status, ofScore.body.stored?.score], ofScore.body.detail).toEqual([200, 1]);
  expect((await ask('/test', { source })).status).toBe(422);
});

const LOCK_FIELDS = {
  name: 'test-lock-fields',
  text: 'lock table market.metadata_fields in share row exclusive mode',
};
const WITHDRAW = {
  name: 'test-withdraw',
  text: `delete from market.metadata_fields where name = 'gone'`,
};

test('a field that is withdrawn while a draft of it is made refuses the draft', async () => {
  await api.testDatabase.sql(
    `insert into metadata_fields (name, type, description, declared_by) values ('gone', 'text', 'a field', 'Ann')`,
  );
  const source = { ...made([rule('gold', 'metadata.gone == "gold"')], 'gone@1') };
  const isOnHold = async () => {
    const [found] = await api.testDatabase.sql<{ waiting: number }>(
      `select count(*)::int as waiting from pg_locks where relation = 'metadata_fields'::regclass and not granted`,
    );
    return found?.waiting === 1;
  };
  const { making } = await api.database.transaction(async (query) => {
    await query(LOCK_FIELDS);
    await query(WITHDRAW);
    let isMade = false;
    const asked = ask('', { ...source, metadata: { gone: 'text' } }).finally(() => {
      isMade = true;
    });
    await waitUntil(async () => isMade || (await isOnHold()), 10_000, 'the draft to wait');
    return { making: asked };
  });
  const { status, body } = await making;
  expect([status, body.errors]).toMatchObject([422, [{ pointer: '/metadata/gone' }]]);
});
