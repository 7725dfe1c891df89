/**
 * Goal: analysts work on rule sets as files: what export prints, import takes, and nothing is lost. Method: `risk rules` over an
 * API, by the keys of two people.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { confirmIn } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { makeOfficer } from '../../../support/rooms/rules/officers.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';

const keys = new Map<string, string>();
const api = await openForFile(startRunningApi());
const folder = folderOfFile();
const bob = await makeOfficer(api.testDatabase, 'Bob');
keys.set('Bob', bob.key);
keys.set('Ann', (await makeOfficer(api.testDatabase, 'Ann')).key);

const environmentOf = (name: string) => ({
  RISK_URL: api.url,
  RISK_API_KEY: keys.get(name) ?? '',
});

const run = async (name: string, ...args: string[]) =>
  await runRisk(['rules', ...args], environmentOf(name));

async function risk(name: string, ...args: string[]) {
  const { code, stdout, stderr } = await run(name, ...args, '--json');
  return { code, stderr, answer: stdout === '' ? undefined : JSON.parse(stdout) };
}
const at = (name: string) => join(folder, name);
const write = (name: string, source: object | string) => {
  writeFileSync(at(name), typeof source === 'string' ? source : JSON.stringify(source));
  return at(name);
};

test('a rule set of the build is exported, changed, checked and brought into force', async () => {
  const { code, stdout: exported } = await run('Ann', 'export', 'default@4');
  expect(code).toBe(0);
  const file = exported.replace('default@4', 'own@1').replace('review: 500', 'review: 400');
  const path = write('own.yaml', file);
  expect((await risk('Ann', 'check', path, '--api')).code).toBe(0);
  const changes = ['id: "default@4" -> "own@1"', 'verdicts.all.review: 500 -> 400'];
  expect((await risk('Ann', 'diff', path)).answer).toEqual(changes);
  const made = await risk('Ann', 'import', path);
  expect(made.answer, made.stderr).toMatchObject({ rule_set: 'own@1', state: 'draft' });
  expect((await risk('Ann', 'import', path)).answer).toMatchObject({ sha256: made.answer.sha256 });
  expect((await risk('Ann', 'diff', 'own@1', 'default@4')).answer).toEqual(changes);
  expect(made.stderr).toMatch(/^Next: bin\/risk rules submit own@1,/);
  const submitted = await risk('Ann', 'submit', 'own@1');
  expect(submitted.answer).toMatchObject({ kind: 'rule-set', state: 'waiting' });
  const confirm = async (stderr: string) => {
    const [, id = ''] =
      /another risk officer sends bin\/risk approvals confirm (\d+)$/m.exec(stderr) ?? [];
    return await confirmIn(api.database, id, bob);
  };
  expect((await risk('Ann', 'import', path)).code).toBe(1);
  await confirm(submitted.stderr);
  const { stdout: shown } = await run('Ann', 'show', 'own@1');
  expect(shown).toMatch(/^approved_by +Bob$/m);
  expect(shown).not.toContain('weight');
  const where = ['--corridor', 'US-EG'];
  const proposed = await risk('Ann', 'rollout', 'own@1', ...where, '--to', 'shadow');
  expect((await confirm(proposed.stderr)).result).toMatchObject({
    items: [{ rule_set: 'own@1', to: 'shadow' }],
  });
  expect((await risk('Bob', 'rollback', 'own@1', ...where)).code).toBe(0);
  expect((await risk('Bob', 'retire', 'own@1')).answer).toMatchObject({ state: 'retired' });
  expect((await risk('Ann', 'list')).answer).toContainEqual(
    expect.objectContaining({ rule_set: 'own@1', state: 'retired' }),
  );
});
