/**
 * Goal: scores by models are verified as all others, any bit of their input is checked, and a model that cannot
 * be loaded is named. Method: a worker scores by a model on real stores, then rows are changed.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../../src/core/domain/feature-schema.ts';
import { toVector } from '../../../../src/core/store/scores/vector-bytes.ts';
import { createOutput } from '../../../../src/kit/command/output.ts';
import { createCommand } from '../../../../src/rooms/evidence/verify-command.ts';
import { openModels } from '../../../../src/rooms/models/open-models.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { type RollOut, startRollOut } from '../../../support/rolled-out.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../../../support/worker-rig.ts';

const SCORES = 80;
let rig: WorkerRig;
let rollOut: RollOut;

beforeAll(async () => {
  rig = await createWorkerRig();
  rollOut = await startRollOut(rig.database);
  await rollOut.put(await rollOut.register(1), 'active');
  const worker = rig.startWorker();
  await rig.send(seeds(60));
  await rig.send(seeds(20).map((seed) => ({ ...seed, corridor: 'US-MX' })));
  await rig.settled(SCORES);
  // The worker stops first: it would score an unsettled entry again between the tests.
  await worker[Symbol.asyncDispose]();
  await rig.database.sql('create table as_stored as select * from scores');
});
afterAll(async () => {
  await rollOut[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rig.database.sql('delete from scores');
  await rig.database.sql('insert into scores select * from as_stored');
});

async function verify(): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const stdout = { write: (text: string) => lines.push(...text.trimEnd().split('\n')) };
  const code = await createCommand(openModels).run(['scores', '--sample', '1000'], {
    config: testConfig({ DATABASE_URL: rig.database.url }),
    environment: {},
    output: createOutput({ json: false, stdout, stderr: stdout }),
    log: silentLog(),
    signal: new AbortController().signal,
  });
  return { code, lines };
}

/** Changes the score of one transaction that the model judged; returns its id. */
async function change(assignment: string): Promise<string> {
  const [row] = await rig.database.sql<{ id: string }>(`
    update scores set ${assignment}
     where transaction_id = (select transaction_id from scores where model is not null order by 1 limit 1)
    returning transaction_id as id`);
  return row?.id ?? '';
}

test('scores of a model and of the rules verify, bit for bit', async () => {
  expect(await verify()).toEqual({
    code: 0,
    lines: [`verified=${SCORES} different=0 available=${SCORES}`],
  });
});

/** Places of the bytes of a stored vector that tell a feature; a missing one has many bit patterns. */
function bytesOf(features: Buffer): number[] {
  const vector = toVector(features);
  const places = [0];
  let from = 1 + vector.length;
  for (const [index, value] of vector.entries()) {
    const mask = features[1 + index] ?? 0;
    const count = mask.toString(2).replaceAll('0', '').length;
    if (!Number.isNaN(value))
      places.push(1 + index, ...Array.from({ length: count }, (_, n) => from + n));
    from += count;
  }
  return places;
}

test.each([0, 3, 7])('one flipped bit (%d) of any byte of a vector is found', async (bit) => {
  const [row] = await rig.database.sql<{ features: Buffer }>(
    'select features from scores where model is not null order by transaction_id limit 1',
  );
  const places = bytesOf(row?.features ?? Buffer.alloc(0));
  expect(places.length).toBeGreaterThan(FEATURE_LIST.length);
  for (const byte of places.filter((_, index) => index % 17 === 0)) {
    const at = 8 * byte + bit;
    const id = await change(`features = set_bit(features, ${at}, 1 - get_bit(features, ${at}))`);
    const { code, lines } = await verify();
    expect([code, lines[0]]).toEqual([1, expect.stringContaining(`differs ${id}: features`)]);
    await rig.database.sql('delete from scores');
    await rig.database.sql('insert into scores select * from as_stored');
  }
});

test.each([
  ['probability = probability + 1e-16', /^probability$/],
  ['model = null', /\bprobability\b/],
  ["reasons = '[]'", /^reasons$/],
])('a change of %s is found', async (assignment, field) => {
  const id = await change(assignment);
  const [line = ''] = (await verify()).lines;
  const [found, fields = ''] = line.split(': ');
  expect([found, fields]).toEqual([`differs ${id}`, expect.stringMatching(field)]);
});

test('a model that is unknown is named', async () => {
  const id = await change("model = 'gone@7'");
  expect(await verify()).toEqual({
    code: 1,
    lines: [
      `differs ${id}: model`,
      'model gone@7: is not registered',
      `verified=${SCORES} different=1 available=${SCORES}`,
    ],
  });
});
