/**
 * Goal: one command leads from logged features and labels to a registered model, the same each time;
 * unsuitable data is refused with the reason and leaves nothing. Method: made payments of six weeks in a real
 * database.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import { toVector } from '../../../../src/core/store/scores/score-values.ts';
import { readReference } from '../../../../src/rooms/models/model-record.ts';
import { declareFields } from '../../../support/made-days.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { spawnRisk } from '../../../support/risk.ts';
import {
  KNOWN_BY,
  RECOGNISED,
  startTrainRig,
  TRAINING,
  WINDOWS,
} from '../../../support/rooms/models/train-rig.ts';
import { hexOf } from '../../../support/scored-rows.ts';

const DEADLINE_MS = 60_000;

const { rig, officer, out, readOut, train, cardOf, count } = await openForFile(startTrainRig());

describe('a model that is trained', () => {
  test('is judged on the later window, written and registered as staged', async () => {
    const made = await train(officer, 'first', ...WINDOWS, '--name', 'fraud@1');
    const card = cardOf('first');
    expect(made).toMatchObject({ model: 'fraud@1', is_registered: true, path: out('first') });
    expect(card.figures['auc']?.value).toBeGreaterThan(0.85);
    expect(card.figures['auc']?.low).toBeGreaterThan(0.8);
    expect(card.importance[0]?.name).toBe(RECOGNISED);
    const rows = await rig.testDatabase.sql<{ from: number; later: number }>(
      `select count(*) filter (where created_at < '2026-04-01Z')::int as "from",
              count(*) filter (where created_at >= '2026-04-01Z')::int as later
         from scores where created_at < '2026-04-15Z' and created_at >= '2026-03-01Z'`,
    );
    expect([card.training.rows, card.validation?.rows]).toEqual([rows[0]?.from, rows[0]?.later]);
    expect(Object.keys(card.segments)).toEqual(['corridor', 'country']);
    expect(card.reference.features).toHaveLength(FEATURE_COUNT);
    expect(readReference({ ...card })).toEqual(card.reference);
    const [listed] = await rig.json(undefined, 'list');
    expect(listed).toMatchObject({
      model: 'fraud@1',
      model_id: made.model_id,
      golden_source: 'manifest',
    });
    expect(listed.does).toBe('staged all');
    const shown = await rig.json(undefined, 'show', 'fraud@1');
    expect(shown).toMatchObject({
      trained: { from: '2026-03-01', to: '2026-03-31', known_by: '2026-04-24T00:00:00.000Z' },
      parent: null,
      card: JSON.parse(JSON.stringify(card)),
    });
    expect(shown.code_version).toMatch(/^1\.0\.0(\+|$)/);
  });

  test('has the same bytes for the same rows and seed, and others for another', async () => {
    await train(undefined, 'again', ...WINDOWS, '--no-register');
    await train(undefined, 'other', ...WINDOWS, '--no-register', '--seed', '2');
    const bytes = (name: string) => readOut(name, 'model.json');
    expect(bytes('again').equals(bytes('first'))).toBe(true);
    expect(bytes('other').equals(bytes('first'))).toBe(false);
    const { createdAt: _then, id: _name, ...rest } = cardOf('first');
    expect(cardOf('again')).toMatchObject(rest);
    expect(await count()).toBe(1);
  });
});

describe('refused, with nothing registered and nothing written:', () => {
  const cases: [string, string[], RegExp][] = [
    ['no window', KNOWN_BY, /--from is missing/],
    [
      'windows that overlap',
      [...TRAINING, '--validate-from', '2026-03-31', '--validate-to', '2026-04-01', ...KNOWN_BY],
      /must lie after --to/,
    ],
    [
      'labels before the end',
      [...TRAINING, '--known-by', '2026-03-31T23:59:59Z'],
      /before the end/,
    ],
    ['labels of the future', [...TRAINING, '--known-by', '2999-01-01'], /in the future/],
    ['a feature that is none', [...WINDOWS, '--features', 'mood'], /mood/],
    ['no scores', ['--from', '2025-03-01', '--to', '2025-03-31', ...KNOWN_BY], /no scores/],
    [
      'too few frauds',
      ['--from', '2026-03-01', '--to', '2026-03-01', ...KNOWN_BY],
      /frauds and \d+ legitimate rows; needs 30/,
    ],
  ];
  test.each(cases)('%s', async (_name, args, reason) => {
    const before = [await count(), readdirSync(rig.folder).length];
    await expect(train(officer, 'refused', ...args)).rejects.toThrow(reason);
    expect([await count(), readdirSync(rig.folder).length]).toEqual(before);
  });

  test('whoever is no risk officer, before any work', async () => {
    const analyst = await rig.makeKey('Cid', ['analyst']);
    await expect(train(undefined, 'refused', ...WINDOWS)).rejects.toThrow(/or say --no-register/);
    await expect(train(analyst, 'refused', ...WINDOWS)).rejects.toThrow(/not that of a confirmed/);
    expect(existsSync(out('refused'))).toBe(false);
  });

  test('a taken name and a folder with something in it, before any work', async () => {
    const taken = ['--name', 'fraud@1'];
    await expect(train(officer, 'refused', ...WINDOWS, ...taken)).rejects.toThrow(/another file/);
    mkdirSync(out('filled'));
    rig.write('filled/mine.txt', 'mine');
    await expect(train(officer, 'filled', ...WINDOWS)).rejects.toThrow(/not empty/);
    expect(readdirSync(out('filled'))).toEqual(['mine.txt']);
  });

  test('the same file under another name; but its files are kept', async () => {
    const before = await count();
    const again = train(officer, 'twice', ...WINDOWS, '--name', 'fraud@2');
    await expect(again).rejects.toThrow(
      /registered as fraud@1 \(not registered; risk models import/,
    );
    expect(await count()).toBe(before);
    expect(readdirSync(out('twice'))).toContain('model.json');
  });
});

test('as a process: exit codes, and an end in the midst of training', async () => {
  const environment = { DATABASE_URL: rig.testDatabase.url, RISK_API_KEY: officer };
  const before = readdirSync(rig.folder);
  const spawn = (...args: string[]) =>
    spawnRisk(['models', 'train', '--out', out('ended'), ...args], environment);
  await using usage = spawn(...TRAINING);
  expect(await usage.exited).toMatchObject({ code: 2 });
  await using lacking = spawn('--from', '2025-03-01', '--to', '2025-03-31', ...KNOWN_BY);
  expect(await lacking.exited).toMatchObject({ code: 1 });
  await using long = spawn(...TRAINING, ...KNOWN_BY, '--set', 'rounds=5000');
  await long.waitFor(/training: \d+ of at most 5000/, DEADLINE_MS);
  long.kill('SIGTERM');
  expect(await long.exited).toMatchObject({ code: 1 });
  expect(long.stderr()).toContain('stopped; nothing was written or registered');
  expect(readdirSync(rig.folder)).toEqual(before);
});

test('slots of declared fields are read by their names', async () => {
  const { testDatabase } = rig;
  await testDatabase.sql(declareFields({ distance: 'number' }));
  const rows = await testDatabase.sql<{ id: string; features: Buffer; isFraud: boolean | null }>(
    `select s.transaction_id as id, features, l.label = 'fraud' as "isFraud"
       from scores s left join labels l using (transaction_id, created_at)`,
  );
  const wide = rows.map(({ id, features, isFraud }) => ({
    id,
    features: hexOf([...toVector(features), isFraud === true ? 2 : 0.1, Number.NaN]),
  }));
  await testDatabase.sql(
    `update scores s set features = decode(w.features, 'hex')
       from json_to_recordset($1) as w (id uuid, features text) where s.transaction_id = w.id`,
    [JSON.stringify(wide)],
  );
  await train(officer, 'slots', ...WINDOWS, '--name', 'slots@1');
  const card = cardOf('slots');
  expect(card.importance[0]?.name).toBe('metadata.distance_tail');
  expect(card.reference.features).toHaveLength(FEATURE_COUNT + 2);
  expect(await count()).toBe(2);
});
