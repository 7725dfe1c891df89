/**
 * Goal: what is registered is what was imported, for ever; a faulty model is refused with the reason and leaves
 * nothing. Method: the command on a real database, then damage by SQL.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../src/core/domain/feature-schema.ts';
import { calibrate } from '../../../../src/rooms/models/model/calibration.ts';
import { type Answer, modelFile, startModelsRig } from '../../../support/models-command.ts';
import { openForFile } from '../../../support/open-for-file.ts';

/** More than Node reads of a file at once; sparse, so that it takes no space. */
const HUGE_BYTES = 3 * 1024 ** 3;

const rig = await openForFile(startModelsRig());
const officer = await rig.makeKey('Ann', ['risk_officer']);
const artefact = JSON.stringify(modelFile());
/** The manifest that export wrote of the artefact. */
let manifest: Answer;

const count = async () => (await rig.testDatabase.sql('select from models')).length;

test('a model is imported, listed, shown and exported as it was', async () => {
  const path = rig.write('fraud.json', artefact);
  const made = await rig.json(officer, 'import', path, '--name', 'fraud@1');
  const sha256 = createHash('sha256').update(artefact).digest('hex');
  expect(made).toEqual({
    model: 'fraud@1',
    model_id: sha256,
    golden_vectors: 64,
    is_new: true,
    shapley_steps: expect.any(Number),
    trees: 2,
    trees_in_file: 2,
  });
  const [listed] = await rig.json(undefined, 'list');
  expect(listed).toMatchObject({
    ...{
      model: 'fraud@1',
      model_id: sha256,
      format: 'xgboost-json',
      feature_schema: FEATURE_SCHEMA,
    },
    ...{ features: 2, created_by: 'Ann', golden_source: 'import' },
  });
  expect(await rig.json(undefined, 'show', sha256)).toMatchObject({
    ...{ model: 'fraud@1', feature_names: ['amount', 'hour'], parent: null, card: null },
  });
  const out = join(rig.folder, 'out.json');
  await rig.run(undefined, 'export', 'fraud@1', '--out', out);
  expect(readFileSync(out, 'utf8')).toBe(artefact);
  manifest = JSON.parse(readFileSync(`${out}.manifest.json`, 'utf8'));
  expect(manifest).toMatchObject({ model: 'fraud@1', sha256, feature_names: ['amount', 'hour'] });
  await expect(rig.run(undefined, 'export', 'fraud@1', '--out', out)).rejects.toThrow(/EEXIST/);
  expect((await rig.json(officer, 'import', out)).is_new).toBe(false);
  rmSync(`${out}.manifest.json`);
  await expect(rig.run(undefined, 'export', 'fraud@1', '--out', out)).rejects.toThrow(/EEXIST/);
  expect(existsSync(`${out}.manifest.json`)).toBe(false);
});

test('an import says how many of how many trees score, and the golden vectors are of those', async () => {
  const stopped = modelFile(4);
  Object.assign(stopped.learner, { attributes: { best_iteration: '0', best_score: '0.1' } });
  const path = rig.write('stopped.json', JSON.stringify(stopped));
  const { stdout } = await rig.run(officer, 'import', path, '--name', 'stopped@1');
  expect(stdout).toContain('1 of 2 trees score, as in predict_proba');
  const again = await rig.json(officer, 'import', path, '--name', 'stopped@1');
  expect(again).toMatchObject({ is_new: false, trees: 1, trees_in_file: 2 });
  const out = join(rig.folder, 'stopped-out.json');
  await rig.run(undefined, 'export', 'stopped@1', '--out', out);
  const { golden_vectors } = JSON.parse(readFileSync(`${out}.manifest.json`, 'utf8'));
  const leaves = new Set(golden_vectors.map((vector: Answer) => vector.margin));
  // A margin of one tree is a leaf, and a margin of both trees is twice a leaf.
  expect(leaves.has(Math.fround(0.9))).toBe(true);
  expect(Math.max(...(leaves as Set<number>))).toBe(Math.fround(0.9));
});

test('lineage, card, calibration and golden vectors survive the way through another registry', async () => {
  await using other = await startModelsRig();
  const key = await other.makeKey('Bob', ['risk_officer']);
  const lineage = {
    trained: { from: '2026-08-01', to: '2026-10-31', known_by: '2026-11-07T00:00:00.000Z' },
    ...{ code_version: '1.0.0', parent: 'baseline@2026-08-01' },
  };
  const calibration = { kind: 'platt' as const, slope: 0.9, intercept: -1.3 };
  const golden_vectors = manifest.golden_vectors.map((vector: Answer) => ({
    ...vector,
    probability: calibrate(calibration, vector.margin),
  }));
  const card = { figures: { ap: 0.72 } };
  const full = { ...manifest, calibration, golden_vectors, lineage, card };
  const path = other.write('fraud.json', artefact);
  other.write('fraud.json.manifest.json', JSON.stringify(full));
  await other.run(key, 'import', path);
  const [listed] = await other.json(undefined, 'list');
  expect(listed.golden_source).toBe('manifest');
  const out = join(other.folder, 'out.json');
  await other.run(undefined, 'export', 'fraud@1', '--out', out);
  expect(JSON.parse(readFileSync(`${out}.manifest.json`, 'utf8'))).toEqual(full);
});

describe('refused, and nothing is registered:', () => {
  const unknownFeature = () => {
    const file = modelFile(1);
    file.learner.feature_names[1] = 'mood';
    return JSON.stringify(file);
  };
  const files: [string, () => string, RegExp][] = [
    ['a truncated file', () => artefact.slice(0, -200), /not JSON/],
    ['an unknown feature', unknownFeature, /mood not in the/],
  ];
  test.each(files)('%s', async (_name, make, reason) => {
    const before = await count();
    const path = rig.write('bad.json', make());
    await expect(rig.run(officer, 'import', path)).rejects.toThrow(reason);
    expect(await count()).toBe(before);
  });

  test('a huge file, unread', async () => {
    const path = rig.write('huge.json', '{');
    truncateSync(path, HUGE_BYTES);
    await expect(rig.run(officer, 'import', path)).rejects.toThrow(`${HUGE_BYTES} bytes, at most`);
  });

  const vectors = (change: (vector: Answer) => void) => (given: Answer) => {
    change(given.golden_vectors[5]);
  };
  const manifests: [string, (given: Answer) => void, RegExp][] = [
    ['another hash', (given) => (given.sha256 = 'a'.repeat(64)), /sha256: the file's is/],
    [
      'a calibration that the vectors were not made with',
      (given) => (given.calibration = { kind: 'platt', slope: 1, intercept: 0.1 }),
      /\[0\]\.probability: run 1/,
    ],
    ['no golden vectors', (given) => (given.golden_vectors = []), /0 vectors/],
    ['a golden margin a bit off', vectors((v) => (v.margin += 2 ** -52)), /\[5\]\.margin: run 1/],
    ['a golden vector cut short', vectors((v) => v.inputs.pop()), /has 1 values for 2 features/],
    ['an unknown field', (given) => (given.approved_by = 'Ann'), /approved_by/],
  ];
  test.each(manifests)('a manifest with %s', async (_name, change, reason) => {
    const before = await count();
    const given = structuredClone(manifest);
    given.model = 'fraud@2';
    change(given);
    const path = rig.write('right.json', artefact);
    const beside = rig.write('changed.json', JSON.stringify(given));
    const args = ['import', path, '--manifest', beside];
    await expect(rig.run(officer, ...args)).rejects.toThrow(reason);
    expect(await count()).toBe(before);
  });

  test('other bytes under a known name, and known bytes under another name', async () => {
    const before = await count();
    const other = rig.write('other.json', JSON.stringify(modelFile(2)));
    const same = rig.write('same.json', artefact);
    const args = (path: string, name: string) => ['import', path, '--name', name];
    await expect(rig.run(officer, ...args(other, 'fraud@1'))).rejects.toThrow(/of another file/);
    await expect(rig.run(officer, ...args(same, 'fraud@9'))).rejects.toThrow(/as fraud@1/);
    expect(await count()).toBe(before);
  });

  test('whoever is no risk officer', async () => {
    const path = rig.write('mine.json', JSON.stringify(modelFile(3)));
    const analyst = await rig.makeKey('Cid', ['analyst', 'operator']);
    const admin = await rig.makeKey('Dan', ['admin']);
    const reasons: [string | undefined, RegExp][] = [
      [undefined, /RISK_API_KEY must hold/],
      ['risk_nobody', /unknown, revoked or expired/],
      [analyst, /not that of a confirmed risk_officer/],
      [admin, /not that of a confirmed risk_officer/],
    ];
    for (const [key, reason] of reasons) {
      await expect(rig.run(key, 'import', path)).rejects.toThrow(reason);
    }
  });
});

describe('a registered model', () => {
  const sql = (text: string) => rig.testDatabase.sql(text);

  test('cannot be changed or removed by SQL', async () => {
    await expect(sql(`update models set card = '{}'`)).rejects.toThrow(/never changed/);
    await expect(sql('delete from models')).rejects.toThrow(/never changed/);
    await expect(sql('truncate models cascade')).rejects.toThrow(/never changed/);
  });

  test('is not given out when its bytes are not what they were', async () => {
    await sql('alter table models disable trigger models_never_change');
    await sql('alter table models drop constraint model_id_is_sha256');
    await sql(`update models set artefact = artefact || '\\x20' where model = 'fraud@1'`);
    await sql('alter table models enable trigger models_never_change');
    await expect(rig.run(undefined, 'export', 'fraud@1')).rejects.toThrow(/fraud@1 hashes to/);
    // The command does not read these columns.
    expect(await rig.json(undefined, 'show', 'fraud@1')).toMatchObject({ model: 'fraud@1' });
  });
});
