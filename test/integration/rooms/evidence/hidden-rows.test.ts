/**
 * Goal: the owner of the database hides no row from a check by what leads from a leaf to its rows: ids of a set, kind and subject
 * of an entry, and months that are away. Method: as in attacks.test.ts.
 */
import { expect, test } from 'vitest';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { checkBehind } from '../../../support/rooms/evidence/check-behind.ts';
import { openEvidenceRig, sealAll } from '../../../support/rooms/evidence/rig.ts';

const rig = await openForFile(openEvidenceRig());
const sealer = rig.openSealer();
await sealAll(sealer);
/** Scores of one set. */
const ids = await rig.store(5);
await addVersions();
await rig.change('a');
await sealAll(sealer);

/** A model and an approved rule set, which nobody has to load here. */
async function addVersions(): Promise<void> {
  const { sql } = rig.testDatabase;
  await insertPersonKey(rig.testDatabase, 'Ann', ['admin']);
  await sql(
    `insert into models (model_id, model, format, artefact, feature_schema, feature_names, golden_inputs, golden_margins, golden_probabilities, golden_source, created_by)
     values (encode(sha256('x'), 'hex'), 'fraud@1', 'logistic-json', 'x', 1, '{a}', '{1}', '{0}', '{0.5}', 'import', 'Ann')`,
  );
  await sql('alter table rule_sets disable trigger user');
  await sql(
    `with asked as (
       insert into approvals (kind, subject, detail, proposed_by, proposed_by_key, ends_at)
       select 'rule-set', 'own@1', '{}', 'Ann', key_id, now() from api_keys where identity = 'Ann' returning *)
     insert into rule_sets (rule_set, state, sha256, source, author, author_key, submitted_at, approved_by, approval_id, approved_at)
     select 'own@1', 'approved', encode(sha256('{}'), 'hex'), '{}', 'Ann', proposed_by_key, now(), 'Bob', approval_id, now() from asked`,
  );
  await sql('alter table rule_sets enable trigger user');
}

const unguarded =
  (...texts: readonly string[]) =>
  async (query: Query) => {
    await query({ text: 'alter table market.audit_log disable trigger all' });
    await query({
      text: 'alter table market.evidence_entries drop constraint evidence_scores_whole, drop constraint evidence_kind_known',
    });
    for (const text of texts) await query({ text });
  };
const lastGone = () => `delete from market.scores where transaction_id = '${ids.at(-1)}'`;
const line = `(select max(audit_id) from market.audit_log)`;
const lineGone = `delete from market.audit_log where audit_id = ${line}`;
const OF_LINE = `kind = 'audit' and subject = ${line}::text`;
const OF_SCORES = `kind = 'scores'`;
const setEntry = (change: string, where: string) =>
  `update market.evidence_entries set ${change} where ${where}`;
/** An id of January 2020, which has no tables. */
const AWAY = '016f5e66e8007d3b9a445b1f0c2d3e4f';

/** Puts a score in of a time that the log covers. */
const PUT_IN = `insert into market.scores select (overlay(transaction_id::text placing 'ffff' from 20))::uuid, created_at, now() + interval '1 hour', account_id, corridor, score, risk, probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation, rule_inputs, features_crc32 from market.scores limit 1`;

test.each<[name: string, texts: () => string[], noticed: string]>([
  [
    'a score is gone, and its id with it',
    () => [lastGone(), setEntry('ids = substring(ids from 1 for 64)', OF_SCORES)],
    'edited: the ids of leaf',
  ],
  [
    'a set is gone, and its ids with it',
    () => ['delete from market.scores', setEntry('ids = null', OF_SCORES)],
    'edited: the ids of leaf',
  ],
  [
    'a score is gone, and its id is of a month that never was',
    () => [
      lastGone(),
      setEntry(`ids = substring(ids from 1 for 64) || '\\x${AWAY}'::bytea`, OF_SCORES),
    ],
    'deleted: scores of 2020-01',
  ],
  [
    'a month is taken off by hand',
    () => ['alter table market.scores detach partition market.scores_y2026m10'],
    'deleted: scores of 2026-10',
  ],
  [
    'a score is put in, and an entry behind the last leaf tells of a gap',
    () => [
      PUT_IN,
      `insert into market.evidence_entries (log_id, position, kind, subject, leaf) select log_id, size, 'gap', 'x', '{"from":"2026-01-01T00:00:00.000Z","kind":"gap","to":"2099-01-01T00:00:00.000Z","v":1}' from market.evidence_logs`,
    ],
    'inserted: the score ',
  ],
  [
    'the artefact of a model is another one',
    () => [
      'alter table market.models disable trigger user',
      'alter table market.models drop constraint model_id_is_sha256',
      `update market.models set artefact = 'y'`,
    ],
    'edited: model fraud@1',
  ],
  [
    'the source of a rule set is another one',
    () => [
      'alter table market.rule_sets disable trigger user',
      `update market.rule_sets set source = '[]'`,
    ],
    'edited: rule-set own@1',
  ],
  [
    'a line is gone, and its leaf names none',
    () => [setEntry('subject = null', OF_LINE), lineGone],
    'deleted: audit ',
  ],
])('%s', async (_name, texts, noticed) => {
  const { findings } = await checkBehind(rig, unguarded(...texts()));
  expect(findings.map(({ attack, what }) => `${attack}: ${what}`)).toContainEqual(
    expect.stringContaining(noticed),
  );
});

test('a score is put in, and another one is made to count twice', async () => {
  await rig.store(3, rig.database, Date.now() + 3_600_000);
  await sealAll(sealer);
  const again = `insert into market.outbox_evidence (transaction_ids, hashes, scored_at)
    select array[encode(substring(ids from 1 for 16), 'hex')::uuid], substring(hashes from 1 for 32), now() + interval '1 hour'
      from market.evidence_entries where kind = 'scores' order by position desc limit 1`;
  const attacksOf = async (...texts: readonly string[]) => {
    const { findings } = await checkBehind(rig, unguarded(...texts));
    return findings.map(({ attack, what }) => `${attack}: ${what.replace(/[0-9a-f-]{36}/, 'ID')}`);
  };
  expect(await attacksOf()).toEqual([]);
  const putIn = 'inserted: the score ID';
  expect(await attacksOf(again, PUT_IN)).toEqual([
    'inserted: the score ID, which waits for a second leaf',
    putIn,
  ]);
  await rig.testDatabase.sql(again.replaceAll('market.', ''));
  await sealAll(sealer);
  expect(await attacksOf(PUT_IN)).toEqual(['inserted: a second leaf of the score ID', putIn]);
});
