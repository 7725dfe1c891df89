/**
 * Goal: a table that a worker does not read as the night did judges nothing: the engine refuses it, the table before it judges, and no
 * payment is lost or decided twice. Method: a table whose point was changed behind its golden vectors, and bytes of no table.
 */
import { expect, test } from 'vitest';
import { textOfDay } from '../../../src/core/score/scorecard/day-table.ts';
import { goldenOf } from '../../../src/core/score/scorecard/golden.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { openForFile } from '../../support/open-for-file.ts';
import { learntTable, storeTable } from '../../support/policies.ts';
import { createWorkerRig, seeds } from '../../support/worker-rig.ts';

const DAY = Date.UTC(2026, 10, 1) / DAY_MS;
const rig = await openForFile(createWorkerRig());

function proven(day: number) {
  const { table } = learntTable(`golden ${day}`, { day });
  return { ...table, golden: goldenOf({ table }) };
}

test('a table that gives another margin, or that nobody can read, is refused by the engine', async () => {
  const serial = await storeTable(rig.database, proven(DAY - 3));
  await storeTable(rig.database, proven(DAY - 2));
  // As if bytes had changed on the disk.
  await rig.database.sql(`alter table scorecards disable trigger user, drop constraint scorecard_hash_is_sha256;
    update scorecards set bytes = set_byte(bytes, 99, get_byte(bytes, 99) # 1) where serial <> ${serial}`);
  const wrong = proven(DAY - 1);
  const points = wrong.scorecard.points.map((value) => value + 1e-12);
  await storeTable(rig.database, { ...wrong, scorecard: { ...wrong.scorecard, points } });
  await rig.database.sql(
    `insert into scorecards (serial, day, sha256, bytes, measures, payments, frauds, read_to)
     select 99, '${textOfDay(DAY)}', sha256(bytes), bytes, '{}', 0, 0, '1' from (select '\\x0105'::bytea as bytes) damaged`,
  );
  await openForFile(rig.startWorker());
  await rig.send(seeds(30, DAY * DAY_MS));
  await rig.settled(30);
  const told = await rig.database.sql(
    'select scorecard, count(*)::int as scores, max(attempts)::int as attempts from scores group by scorecard',
  );
  expect(told).toEqual([{ scorecard: serial, scores: 30, attempts: 1 }]);
  const refused = await rig.database.sql(
    `select c.scope, c.set_by, c.reason, l.who from controls c
       join audit_log l on l.action = 'control.set' and l.subject = 'stop:' || c.scope order by scope`,
  );
  const reason = expect.stringMatching(/^run 1 gives .*, not /);
  const corrupt = expect.stringMatching(/^the table 2 has the hash /);
  expect(refused).toMatchObject([
    { scope: `model:scorecard@${textOfDay(DAY - 2)}`, set_by: 'engine', reason: corrupt },
    { scope: `model:scorecard@${textOfDay(DAY - 1)}`, set_by: 'engine', who: 'engine', reason },
    { scope: `model:scorecard@${textOfDay(DAY)}`, set_by: 'engine' },
  ]);
});
