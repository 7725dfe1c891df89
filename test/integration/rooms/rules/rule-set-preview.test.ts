/**
 * Goal: people learn from yesterday what a rule set would change before anybody else sees it, and a slip that declines everybody
 * is not submitted. Method: 400 scores of yesterday with known features and labels; an API process answers.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { ensurePartitions } from '../../../../src/core/store/partitions/partitions.ts';
import { monthOf } from '../../../../src/kit/words/month.ts';
import { insertPlainScores } from '../../../support/delivered.ts';
import { makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { storeLabels } from '../../../support/scored-rows.ts';
import { idAt } from '../../../support/stored-rows.ts';
import { answerOf } from '../../../support/submit.ts';
import { makeVector } from '../../../unit/core/score/vector.ts';

const DAY_MS = 86_400_000;
const ROWS = 400;
const YESTERDAY_MS = (Math.floor(Date.now() / DAY_MS) - 1) * DAY_MS;
const atMs = (row: number) => YESTERDAY_MS + row * 60_000;

let api: RunningApi;
let key: string;
beforeAll(async () => {
  api = await startRunningApi();
  key = (await makeOfficer(api.testDatabase, 'Ann', ['analyst'])).key;
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
  }));
  const lineage = { scoredAtMs: atMs(ROWS), featureSchema: FEATURE_SCHEMA };
  await insertPlainScores(api.database, scores, lineage);
  // Every label of an amount below 200 is legitimate, and every one above is a fraud.
  const labels = ids.flatMap((id, row) => {
    const label: 'legitimate' | 'fraud' = row < 200 ? 'legitimate' : 'fraud';
    const createdAtMs = atMs(row);
    return row % 2 === 0 ? [] : [{ id, createdAtMs, label, labelledAtMs: createdAtMs + 1 }];
  });
  await storeLabels(api.database, labels);
});
afterAll(() => api[Symbol.asyncDispose]());

const rule = (id: string, when: string, more: object = { weight: 0.6 }) => ({
  ...{ id, sentence: 'A sentence.', code: id.toUpperCase().replaceAll('-', '_'), when, ...more },
});
const made = (rules: readonly object[], id = 'own@1') => ({
  ...{ version: 2, id, feature_schema: 3, rules },
  verdicts: { all: { review: 500, decline: 800 } },
});
async function ask(path: string, body?: object) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return await answerOf(await api.request(`/v1/rule-sets${path}`, { headers, ...init }));
}

test('verdicts beside the version in force, and hits with their labels', async () => {
  const { status, body } = await ask('/preview', {
    source: made([rule('late', 'amount / amount * siblings >= 5 && amount > money(0, "DOLLAR")')]),
  });
  expect([status, body.errors[0].pointer]).toEqual([422, '/source/rules/0/when']);
  const source = made([rule('many', 'siblings >= 8')]);
  const { body: found } = await ask('/preview', { source });
  expect(found).toMatchObject({
    ...{ rule_set: 'own@1', in_force: [currentRuleSet.id], scores: 400, sampled: 400, by_model: 0 },
    from: new Date(YESTERDAY_MS).toISOString(),
    before: { all: { approve: 400, review: 0, decline: 0 } },
    after: { all: { approve: 320, review: 80 }, fraud: { review: 20 }, legitimate: { review: 20 } },
    flips: [{ from: 'approve', to: 'review', count: 80, fraud: 20, legitimate: 20 }],
    rules: [{ rule: 'many', hits: 80, in_scope: 400, fraud: 20, legitimate: 20, findings: [] }],
  });
});

test('each rule of no use is named, with what its removal would change', async () => {
  const source = made([
    rule('never', 'siblings > 1000'),
    rule('always', 'siblings >= 0', { weight: 0.01 }),
    rule('scoped', 'siblings >= 0', { weight: 0.01, corridors: ['US-MX'] }),
    rule('small', 'siblings >= 1 && is_missing(count_1h) && count_24h > 1 || siblings == 3'),
    rule('narrow', 'siblings >= 8'),
    rule('wide', 'siblings >= 7'),
  ]);
  const { body } = await ask('/preview', { source });
  const findings = Object.fromEntries(
    body.rules.map(
      ({ rule: id, findings: all }: { rule: string; findings: { kind: string }[] }) => [
        id,
        all.map(({ kind }) => kind),
      ],
    ),
  );
  expect(findings).toEqual({
    ...{ never: ['never'], always: ['always'], scoped: ['always'] },
    ...{ small: ['missing'], narrow: ['overlap'], wide: [] },
  });
  const narrow = body.rules.find((one: { rule: string }) => one.rule === 'narrow');
  // Two rules fired: without one the score is 600 in place of 840.
  expect(narrow.without).toMatchObject({
    hits: 80,
    flips: [{ from: 'decline', to: 'review', count: 80 }],
  });
  expect(body.rules[0].without).toEqual({ hits: 0, flips: [] });
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
    `own@1 would decline 70.0 % of 400 scores of ${new Date(YESTERDAY_MS).toISOString().slice(0, 10)}, and more than 5.0 % takes accept_declines=true.`,
  ]);
  expect((await ask('/own@1/submit?accept_declines=true', {})).body.state).toBe('submitted');
  const unknown = made([rule('sum', 'amount > money(0, "EUR")', { verdict: 'decline' })], 'sum@1');
  await ask('', unknown);
  expect((await ask('/sum@1/submit', {})).body.detail).toMatch(
    /^sum@1 reads rate.EUR, which no score of .* has recorded/,
  );
  const { body } = await ask('/preview', { source: unknown });
  expect(body.rules[0].findings.map(({ kind }: { kind: string }) => kind)).toContain('missing');
  await ask('', made([rule('few', 'amount >= amount', { weight: 0.2 })], 'few@1'));
  expect((await ask('/few@1/submit', {})).body.state).toBe('submitted');
});
