/**
 * Goal: the hash that a worker makes of a score in memory is the hash of the row that Postgres stores, and verify/ makes it of the
 * content. Method: made scores with awkward values are stored as a worker stores them; the three hashes are compared.
 */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { uuidsIn } from '../../../../src/kit/words/cursor.ts';
import { scoreContent } from '../../../../src/rooms/evidence/log/contents.ts';
import { hashRows } from '../../../../src/rooms/evidence/log/score-hash.ts';
import { hashesOf } from '../../../../src/rooms/evidence/log/tree.ts';
import {
  addUnsealed,
  readScoreTexts,
  takeUnsealed,
} from '../../../../src/rooms/evidence/store/unsealed.ts';
import { hashOf } from '../../../../verify/merkle.ts';
import { scoreBytes } from '../../../../verify/score.ts';
import { type PlainScore, toNewScores } from '../../../support/delivered.ts';
import { insertScores } from '../../../support/insert-scores.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { MONTH_MS, openEvidenceRig } from '../../../support/rooms/evidence/rig.ts';
import { idAt } from '../../../support/stored-rows.ts';

const SEED = 'score-hash';
const BATCHES = 12;
const BATCH = 50;

const rig = await openForFile(openEvidenceRig());
await rig.openSealer().run(Date.now());

const random = createRandom(SEED);
const pick = <Value>(...values: readonly Value[]) =>
  values[Math.floor(random() * values.length)] as Value;
const awkward = () =>
  pick(
    '',
    'plain',
    'quo"te',
    'back\\slash',
    'é ü',
    '日本',
    '😀',
    'tab\tline\n',
    '\u2028 </script>',
    'x'.repeat(300),
  );
const double = () => pick(0, 1, 1e-7, 5e-324, 0.1, random(), random() * 1e-12, 1 - 2 ** -53);

function makeScore(nth: number): PlainScore {
  const createdAtMs = MONTH_MS + nth * 977;
  const features = Float64Array.from({ length: FEATURE_COUNT }, () =>
    pick(Number.NaN, 0, -0, random() * 1e9, Math.floor(random() * 100), Infinity, -1e-300),
  );
  const decided = score({ vector: features, ruleSet: currentRuleSet, opinion: null });
  const made = Array.from({ length: Math.floor(random() * 3) }, () => ({
    code: pick('NEW_DEVICE', 'X'),
    detail: awkward(),
    contribution: pick(0, -3, 12.5, 1e21, 1e-7, 100),
  }));
  return {
    transactionId: idAt(createdAtMs),
    createdAtMs,
    accountId: `acc ${awkward()}`.slice(0, 60),
    corridor: pick('US-EG', 'FR-MA'),
    decision: {
      ...decided,
      ...(random() < 0.5
        ? {}
        : { risk: double(), reasons: made, score: Math.floor(random() * 1001) }),
      probability: pick(null, double()),
      byRules: pick(null, 0, 1000),
    },
    features,
    ruleInputs: pick(null, { b: awkward(), a: true, 10: 1.5, 9: 1e21 }),
    model: pick(null, 'fraud@2026-11-20', `m ${awkward()}`),
    attempts: pick(1, 4),
    degradation: pick(0, 3),
    margin: double() - 8,
    scorecard: pick(null, 1, 32_767),
    ruleSet: pick(currentRuleSet.id, `default@3-without-${awkward()}`),
  };
}

async function store(scores: readonly PlainScore[], scoredAtMs: number) {
  return await insertScores(rig.database, toNewScores(scores), scoredAtMs, [addUnsealed(true)]);
}

const take = () => rig.database.transaction((query) => takeUnsealed(query));

test('hashes of memory, of rows and of contents are the same', async () => {
  for (let batch = 0; batch < BATCHES; batch++) {
    const scores = Array.from({ length: BATCH }, (_, nth) => makeScore(batch * BATCH + nth));
    const scoredAtMs = Date.now() - Math.floor(random() * 1e10);
    // The inputs of a whole batch may be null, which sends no column.
    await store(
      batch === 0 ? scores.map((one) => ({ ...one, ruleInputs: null })) : scores,
      scoredAtMs,
    );
    const { hashed, bare } = await take();
    expect([hashed.length, bare]).toEqual([1, []]);
    const [{ ids, hashes, scoredAtMs: at } = { ids: Buffer.alloc(0), hashes: Buffer.alloc(0) }] =
      hashed;
    expect([at, ids.length / 16]).toEqual([scoredAtMs, BATCH]);
    const rows = new Map(
      (await readScoreTexts(rig.database.query, uuidsIn(ids))).map((row) => [
        row.transactionId,
        row,
      ]),
    );
    for (const [nth, id] of uuidsIn(ids).entries()) {
      const row = rows.get(id);
      if (row === undefined) throw new Error(`${id} is not stored`);
      const hash = hashesOf(hashes)[nth];
      expect({ row, hash: hashRows([row]) }).toEqual({ row, hash });
      expect(hashOf(scoreBytes(scoreContent(row)))).toEqual(hash);
    }
  }
});

test('where some scores of a batch are stored before, the others wait without a hash', async () => {
  const first = Array.from({ length: 3 }, (_, nth) => makeScore(10_000 + nth));
  const others = Array.from({ length: 4 }, (_, nth) => makeScore(20_000 + nth));
  await store(first, Date.now());
  await take();
  await store([...first, ...others], Date.now());
  const { hashed, bare } = await take();
  expect(hashed).toEqual([]);
  expect(bare.toSorted()).toEqual(others.map(({ transactionId }) => transactionId).sort());
  await store([...first, ...others], Date.now());
  expect(await take()).toMatchObject({ hashed: [], bare: [] });
});
