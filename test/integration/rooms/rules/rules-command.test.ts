/**
 * Goal: analysts work on rule sets as files: what export writes, import takes, and nothing is lost. Method: `risk rules` over an
 * API, by the keys of two people.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { always, makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';

let api: RunningApi;
let folder: string;
const keys = new Map<string, string>();
beforeAll(async () => {
  api = await startRunningApi();
  folder = mkdtempSync(join(tmpdir(), 'risk-rules-'));
  for (const name of ['Ann', 'Bob']) {
    keys.set(name, (await makeOfficer(api.testDatabase, name)).key);
  }
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await api[Symbol.asyncDispose]();
});

const environmentOf = (name: string) => ({
  RISK_URL: api.url,
  RISK_API_KEY: keys.get(name) ?? '',
});

async function risk(name: string, ...args: string[]) {
  const line = ['rules', ...args, '--json'];
  const { code, stdout, stderr } = await runRisk(line, environmentOf(name));
  return { code, stderr, answer: stdout === '' ? undefined : JSON.parse(stdout) };
}
const at = (name: string) => join(folder, name);
const write = (name: string, source: object) => {
  writeFileSync(at(name), JSON.stringify(source));
  return at(name);
};

test('a rule set of the build is exported, changed, checked and brought into force', async () => {
  const exported = await risk('Ann', 'export', 'default@3', '--out', at('a.json'));
  expect(exported.code, exported.stderr).toBe(0);
  const own = { ...JSON.parse(readFileSync(at('a.json'), 'utf8')), id: 'own@1' };
  const path = write('own.json', { ...own, verdicts: { all: { review: 400, decline: 800 } } });
  expect((await risk('Ann', 'check', path)).code).toBe(0);
  expect((await risk('Ann', 'diff', path)).answer).toEqual([
    'id: "default@3" -> "own@1"',
    'verdicts: {"all":{"decline":800,"review":500}} -> {"all":{"decline":800,"review":400}}',
  ]);
  const made = await risk('Ann', 'import', path);
  expect(made.answer, made.stderr).toMatchObject({ rule_set: 'own@1', state: 'draft' });
  expect((await risk('Ann', 'import', path)).answer).toMatchObject({ sha256: made.answer.sha256 });
  expect((await risk('Ann', 'preview', path)).answer).toMatchObject({
    ...{ rule_set: 'own@1', in_force: [], sampled: 0 },
  });
  const { stdout: told } = await runRisk(['rules', 'preview', path], environmentOf('Ann'));
  expect(told).toMatch(/^after +0 approve, 0 review, 0 decline$/m);
  expect(told).toMatch(/^velocity-count-1h +0 +0 +0/m);
  expect((await risk('Ann', 'submit', 'own@1')).answer).toMatchObject({ state: 'submitted' });
  expect((await risk('Ann', 'import', path)).code).toBe(1);
  expect((await risk('Ann', 'approve', 'own@1')).code).toBe(1);
  expect((await risk('Bob', 'approve', 'own@1')).answer).toMatchObject({ approved_by: 'Bob' });
  const { stdout: shown } = await runRisk(['rules', 'show', 'own@1'], environmentOf('Ann'));
  expect(shown).toMatch(/^approved_by +Bob$/m);
  expect(shown).not.toContain('weight');
  const where = ['--corridor', 'US-EG'];
  const proposed = await risk('Ann', 'rollout', 'own@1', ...where, '--to', 'shadow');
  expect(proposed.stderr).toContain('another risk officer sends bin/risk rules rollout');
  const decided = await risk('Bob', 'rollout', 'own@1', ...where, '--to', 'shadow');
  expect(decided.answer.items).toMatchObject([{ rule_set: 'own@1', to: 'shadow' }]);
  expect((await risk('Bob', 'rollback', 'own@1', ...where)).code).toBe(0);
  expect((await risk('Bob', 'retire', 'own@1')).answer).toMatchObject({ state: 'retired' });
  expect((await risk('Ann', 'list')).answer).toContainEqual(
    expect.objectContaining({ rule_set: 'own@1', state: 'retired' }),
  );
});

test('export and import are inverses', async () => {
  const [first, second] = [at('first.json'), at('second.json')];
  expect((await risk('Ann', 'import', write('b.json', always('both@1')))).code).toBe(0);
  await risk('Ann', 'export', 'both@1', '--out', first);
  expect((await risk('Ann', 'import', first)).code).toBe(0);
  await risk('Ann', 'export', 'both@1', '--out', second);
  expect(readFileSync(second, 'utf8')).toBe(readFileSync(first, 'utf8'));
  expect((await risk('Ann', 'export', 'both@1', '--out', second)).code).toBe(1);
});

test('check and test say what a file would do', async () => {
  const wrong = write('wrong.json', { ...always('c@1'), verdicts: {} });
  const checked = await risk('Ann', 'check', wrong);
  expect([checked.code, checked.answer.problems[0].pointer]).toEqual([1, '/verdicts/all']);
  const [id = ''] = await storeTransactions(api.database, [{ createdAtMs: Date.now(), score: 1 }]);
  const source = { ...always('c@1'), feature_schema: 1 };
  const tried = await risk('Ann', 'test', write('c.json', source), id);
  expect(tried.answer, tried.stderr).toMatchObject({ score: 600, stored: { score: 1 } });
  expect((await risk('Ann', 'test', write('none.json', []), 'x')).code).not.toBe(0);
});
