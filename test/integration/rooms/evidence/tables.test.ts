/**
 * Goal: the log proves which table of the day a score names, and a table that somebody changed is noticed. Method: two stored tables,
 * a score of each, and attacks that are rolled back.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hashTable } from '../../../../src/core/score/scorecard/table-bytes.ts';
import { storeNight } from '../../../../src/core/store/scorecards/write-night.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { verifierKey } from '../../../../src/rooms/evidence/log/checkpoint.ts';
import { type Bundle, proveScore } from '../../../../src/rooms/evidence/prove.ts';
import { addUnsealed } from '../../../../src/rooms/evidence/store/unsealed.ts';
import { openBundle } from '../../../../verify/bundle.ts';
import { main } from '../../../../verify/verify.ts';
import { dayTable, newTable } from '../../../support/day-tables.ts';
import { toNewScores } from '../../../support/delivered.ts';
import { insertScores } from '../../../support/insert-scores.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { checkBehind } from '../../../support/rooms/evidence/check-behind.ts';
import {
  MONTH_MS,
  makeScore,
  ORIGIN,
  openEvidenceRig,
  sealAll,
} from '../../../support/rooms/evidence/rig.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';

const rig = await openForFile(openEvidenceRig());
const sealer = rig.openSealer();
await sealAll(sealer);
const folder = folderOfFile();
const by = { name: 'Cy', keyId: null, request: 'test' };

async function storeTable(day: number) {
  const table = newTable(dayTable({ day }));
  const nothing = {
    policy: null,
    days: [],
    present: [],
    counted: [],
    rows: { ids: [], read: async function* () {} },
  };
  const serial = await storeNight(rig.database, { ...table, ...nothing }, by);
  const made = makeScore(MONTH_MS + day, day);
  const scores = toNewScores([made]).map((score) => ({ ...score, scorecard: serial }));
  await insertScores(rig.database, scores, Date.now(), [addUnsealed(true)]);
  return { serial, sha256: hashTable(table.bytes), id: made.transactionId };
}

const [first, second] = [await storeTable(20_000), await storeTable(20_001)];
await sealAll(sealer);

async function bundleOf(id: string): Promise<Bundle> {
  const bundle = await proveScore(rig.database, id);
  if (typeof bundle === 'string') throw new Error(bundle);
  return bundle;
}

test('the bundle of a score has the line that says the hash of its table', async () => {
  const bundle = await bundleOf(first.id);
  const [score, , line] = openBundle(bundle, rig.trusted).contents;
  expect(score).toMatchObject({ kind: 'score', scorecard: first.serial });
  expect(line).toMatchObject({
    ...{ kind: 'audit', action: 'scorecard.build', subject: '2024-10-04' },
    after: { serial: first.serial, sha256: first.sha256 },
  });
});

function verified(bundle: Bundle): string {
  const [file, key] = [join(folder, 'bundle.json'), join(folder, 'keys.txt')];
  writeFileSync(file, JSON.stringify(bundle));
  writeFileSync(key, rig.keys.map((own) => verifierKey(ORIGIN, own)).join('\n'));
  const lines: string[] = [];
  main([file, '--key', key], (line) => lines.push(line));
  return lines.join('\n');
}

test('another table does not pass for the one that a score names, and a missing one is told', async () => {
  const [own, other] = [await bundleOf(first.id), await bundleOf(second.id)];
  expect(verified(own)).toContain(`proven score ${first.id}, rule-set default@4, table 1 in `);
  const without = { ...own, proofs: own.proofs.slice(0, 2) };
  expect(verified(without)).toContain('; NOT PROVEN: its table 1');
  const swapped = { ...without, proofs: [...without.proofs, ...other.proofs.slice(2)] };
  expect(verified(swapped)).toMatch(/^NOT PROVEN .*: the score does not name audit \d+$/);
});

const unguarded = (text: string) => async (query: Query) => {
  await query({ text: 'alter table market.scorecards disable trigger user' });
  await query({ text });
};

test.each([
  [
    'edited',
    `update market.scorecards set bytes = '\\x01', sha256 = sha256('\\x01') where serial = 1`,
  ],
  ['deleted', 'delete from market.scorecards where serial = 1'],
  [
    'edited',
    `update market.scorecards t set bytes = o.bytes, sha256 = o.sha256 from market.scorecards o where t.serial = 1 and o.serial = 2`,
  ],
])('a table that is %s by hand is noticed: %s', async (attack, text) => {
  const { findings: none } = await checkBehind(rig, async () => undefined);
  expect(none).toEqual([]);
  const { findings } = await checkBehind(rig, unguarded(text));
  expect(findings).toEqual([{ attack, what: 'the table of 2024-10-04' }]);
});
