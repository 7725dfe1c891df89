/** Policies of people, and tables of the day by which they decide. */
import { POLICY, POLICY_FORMAT, type PolicyValue } from '../../src/core/domain/policy.ts';
import type { DayTable, StoredTable } from '../../src/core/score/scorecard/day-table.ts';
import { insertTable } from '../../src/core/store/scorecards/scorecards.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createRandom } from '../../src/kit/random.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { describeModel, UNTOLD } from '../../src/rooms/models/registry/check-model.ts';
import { setControl } from './controls.ts';
import type { TestDatabase } from './database.ts';
import { newTable } from './day-tables.ts';
import { treesOnScorecard } from './models-command.ts';
import { randomTable } from './random-tables.ts';
import type { RollOut } from './rolled-out.ts';

export const POLICY_1 = `${POLICY}@1`;

/** By a learnt table, one payment in a hundred is above the first, and one in a thousand above the second. */
export const [REVIEW_FROM, DECLINE_FROM] = [0.3, 0.7];

export const policyValue = (more: Partial<PolicyValue> = {}): PolicyValue => ({
  ...{ format: POLICY_FORMAT, measures_left_out: [], review_share: 0.01, decline_share: 0.001 },
  ...{ bound: 0.01, ends_at: new Date(Date.now() + 30 * DAY_MS).toISOString() },
  ...more,
});

/** A table with random points that a policy may decide by; its margins are around 0, so that each verdict is given. */
export function learntTable(seed: string, more: Partial<DayTable> = {}): StoredTable {
  const stored = randomTable(createRandom(seed));
  const { table } = stored;
  const tops = Float64Array.of(DECLINE_FROM, ...new Array<number>(99).fill(REVIEW_FROM));
  const points = table.scorecard.points.map((value) => value / 10);
  const made = {
    scorecard: { ...table.scorecard, points, constant: 0, slope: 0, labelSlope: 0 },
    learnt: { ...table.learnt, knownFrauds: 50 },
    tops: { scorecard: tops, rules: new Map(), models: new Map() },
  };
  return { ...stored, table: { ...table, ...made, ...more } };
}

/** Resolves to the serial. */
export async function storeTable(database: TestDatabase, table: DayTable): Promise<number> {
  await using pool = database.open();
  return await insertTable(pool.query, newTable(table));
}

export const putInForce = (
  database: Pick<Database, 'query' | 'transaction'>,
  policy = policyValue(),
) =>
  setControl(database, 'scorecard', `model:${POLICY_1}`, {
    ends_at: policy.ends_at,
    value: { policy },
  });

/** Stores a table that waits for two people. Resolves to its day. */
export async function storeUntaken(database: TestDatabase, day: number): Promise<number> {
  await storeTable(database, learntTable('untaken', { day }).table);
  await database.sql(`alter table scorecards disable trigger scorecards_never_change;
    update scorecards set is_taken = false where day = date '1970-01-01' + ${day};
    alter table scorecards enable trigger scorecards_never_change`);
  return day;
}

/** Registers a policy that is in force already, and lets it decide in a corridor. */
export async function rollOutPolicy({ rig, put }: RollOut, to = 'active'): Promise<void> {
  const path = rig.write(`${POLICY_1}.json`, JSON.stringify(policyValue()));
  const key = await rig.makeKey('policy maker', ['risk_officer']);
  await rig.json(key, 'import', path, '--name', POLICY_1);
  await put(POLICY_1, to);
}

/** Registers small trees that stand on the scorecard under the policy, and rolls them out. */
export async function rollOutTrees({ rig, put }: RollOut, name: string, to: string) {
  const bytes = new TextEncoder().encode(treesOnScorecard());
  const path = rig.write('trees.json', bytes);
  const told = { ...UNTOLD, card: { under: POLICY_1 } };
  const manifest = describeModel(bytes, name, createRandom('golden'), told);
  rig.write('trees.json.manifest.json', JSON.stringify(manifest));
  const key = await rig.makeKey('trees maker', ['risk_officer']);
  await rig.json(key, 'import', path);
  await put(name, to);
}
