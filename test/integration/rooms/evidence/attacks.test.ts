/**
 * Goal: whatever the owner of the database does by hand to what is sealed is noticed and named. Method: each attack is made on
 * real Postgres in a transaction, the log is checked there, and the transaction is rolled back.
 */
import { expect, test } from 'vitest';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { uuidsIn } from '../../../../src/kit/words/cursor.ts';
import type { Attack } from '../../../../src/rooms/evidence/check/finding.ts';
import { readHead, signCheckpoint } from '../../../../src/rooms/evidence/log/checkpoint.ts';
import { setLeaf } from '../../../../src/rooms/evidence/log/contents.ts';
import { hashRows } from '../../../../src/rooms/evidence/log/score-hash.ts';
import { append, EMPTY_EDGE, edgeRoot, leafHash } from '../../../../src/rooms/evidence/log/tree.ts';
import { readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { readEntries, readNewestLog } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import { readScoreTexts } from '../../../../src/rooms/evidence/store/unsealed.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { checkBehind } from '../../../support/rooms/evidence/check-behind.ts';
import { makeKeys, openEvidenceRig, sealAll } from '../../../support/rooms/evidence/rig.ts';

const rig = await openForFile(openEvidenceRig());
const sealer = rig.openSealer();
for (const subject of ['a', 'b', 'c']) await rig.change(subject);
await sealer.run(Date.now() - 120_000);
/** The checkpoint before the last leaves. */
const older = (await readPublished(rig.path)) ?? '';
const ids = [...(await rig.store(30)), ...(await rig.store(1500)), ...(await rig.store(40))];
await rig.change('d');
await sealAll(sealer);

/** Lines of the audit log, one of which is of the migration. */
const LINES = 5;

const checkAfter = (attack: (query: Query) => Promise<unknown>, seen?: string) =>
  checkBehind(rig, attack, seen);

const sql =
  (text: string, ...values: unknown[]) =>
  (query: Query) =>
    query({ text }, values);

/** The owner does without the trigger what the trigger refuses. */
const unguarded = (text: string) => async (query: Query) => {
  await query({ text: 'alter table market.audit_log disable trigger all' });
  await query({ text });
};

/** Makes tiles and the row of the log agree with the leaves that are there, as somebody would who knows how. */
async function hashAnew(query: Query): Promise<void> {
  const log = await readNewestLog(query);
  if (log === undefined) throw new Error('no log');
  const entries = await readEntries(query, log.logId, 0, log.size);
  const { edge, tiles } = append(
    EMPTY_EDGE,
    entries.map(({ leaf }) => leafHash(leaf)),
  );
  await query({ text: 'delete from market.evidence_tiles' });
  for (const { level, tile, hashes } of tiles)
    await query({ text: 'insert into market.evidence_tiles values ($1, $2, $3, $4)' }, [
      log.logId,
      level,
      tile,
      hashes,
    ]);
  const values = [edge.size, await edgeRoot(edge)];
  await query({ text: 'update market.evidence_logs set size = $1, root = $2' }, values);
}

/** Changes a score, and everything that has its hash. */
async function rewriteScore(query: Query): Promise<void> {
  await sql('update market.scores set score = 1 where transaction_id = $1', ids[700])(query);
  const log = await readNewestLog(query);
  for (const entry of await readEntries(query, log?.logId ?? 0, 0, log?.size ?? 0)) {
    if (entry.ids === null) continue;
    const order = uuidsIn(entry.ids);
    const rows = new Map(
      (await readScoreTexts(query, order)).map((row) => [row.transactionId, row]),
    );
    const hashes = order.flatMap((id) => {
      const row = rows.get(id);
      return row === undefined ? [] : hashRows([row]);
    });
    const packed = Buffer.concat(hashes);
    const leaf = setLeaf(packed, '2026-11-27T00:00:00.000Z');
    await query(
      { text: 'update market.evidence_entries set hashes = $1, leaf = $2 where position = $3' },
      [packed, leaf.text, entry.position],
    );
  }
  await hashAnew(query);
}

const cutTail = async (query: Query) => {
  await sql(
    'delete from market.evidence_entries where position >= $1',
    readHead(older)?.size,
  )(query);
  await sql(
    'update market.evidence_logs set size = $1, checkpoint = $2',
    readHead(older)?.size,
    older,
  )(query);
  await hashAnew(query);
};

/** Two rows change places: each has all that the other had but its key. */
const swapScores = (one: string | undefined, other: string | undefined) => async (query: Query) => {
  const columns =
    'scored_at, account_id, corridor, score, risk, probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation, rule_inputs, features_crc32';
  const list = columns.split(', ').map((column) => `${column} = o.${column}`);
  await query(
    {
      text: `with swapped as materialized (select * from market.scores where transaction_id = any ($1::uuid[]))
             update market.scores s set ${list.join(', ')} from swapped o
              where s.transaction_id = any ($1::uuid[]) and o.transaction_id <> s.transaction_id`,
    },
    [[one, other]],
  );
};

const forged = (keys: ReturnType<typeof makeKeys>, root: Buffer) => {
  const head = readHead(older);
  return signCheckpoint({ origin: head?.origin ?? '', size: head?.size ?? 0, root }, keys, 0);
};

const score = (nth: number) => ids[nth] ?? '';

const ATTACKS: readonly [
  name: string,
  attack: (query: Query) => Promise<unknown>,
  noticed: Attack,
  what: () => string,
][] = [
  [
    'a bit of a vector',
    (q) =>
      sql(
        'update market.scores set features = set_byte(features, octet_length(features) / 2, 255 - get_byte(features, octet_length(features) / 2)) where transaction_id = $1',
        score(1000),
      )(q),
    'edited',
    () => score(1000),
  ],
  [
    'who changed something',
    unguarded(`update market.audit_log set who = 'Eve' where audit_id = 2`),
    'edited',
    () => 'audit 2',
  ],
  [
    'a leaf',
    sql(
      `update market.evidence_entries set leaf = case position when 1 then replace(leaf, '"v":1', '"v":2') when 2 then 'null' else 'x' end where position < 4`,
    ),
    'edited',
    () => 'leaf 1 ',
  ],
  [
    'a score is gone',
    (q) => sql('delete from market.scores where transaction_id = $1', score(800))(q),
    'deleted',
    () => score(800),
  ],
  [
    'a line is gone',
    unguarded('delete from market.audit_log where audit_id = 3'),
    'deleted',
    () => 'audit 3',
  ],
  [
    'the last line is gone',
    unguarded(
      'delete from market.audit_log where audit_id = (select max(audit_id) from market.audit_log)',
    ),
    'deleted',
    () => `audit ${LINES}`,
  ],
  [
    'a leaf is gone',
    sql('delete from market.evidence_entries where position = 1'),
    'deleted',
    () => 'leaf 1 ',
  ],
  [
    'a score is put in',
    (q) =>
      sql(
        `insert into market.scores select (overlay(transaction_id::text placing 'ffff' from 20))::uuid, created_at, scored_at, account_id, corridor, score, risk, probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation, rule_inputs, features_crc32 from market.scores where transaction_id = $1`,
        score(900),
      )(q),
    'inserted',
    () => score(900).slice(0, 18),
  ],
  ['scores changed places', (q) => swapScores(ids[40], ids[41])(q), 'reordered', () => score(40)],
  [
    'lines changed places',
    unguarded(
      `update market.audit_log set audit_id = case audit_id when 1 then 102 else 101 end where audit_id in (1, 2); update market.audit_log set audit_id = audit_id - 100 where audit_id > 100`,
    ),
    'reordered',
    () => 'audit 1',
  ],
  [
    'leaves changed places',
    sql(
      `update market.evidence_entries a set leaf = b.leaf from market.evidence_entries b where a.position in (1, 2) and b.position in (1, 2) and a.position <> b.position`,
    ),
    'reordered',
    () => 'leaf 1 ',
  ],
  ['the tail is cut, and the rest agrees', cutTail, 'tail cut', () => 'its tail is cut'],
  [
    'a score is changed, and everything hashed anew',
    rewriteScore,
    'hashed anew',
    () => 'another root',
  ],
  [
    'the key is another',
    (q) =>
      sql(
        'update market.evidence_logs set checkpoint = $1',
        forged(makeKeys(), readHead(older)?.root ?? Buffer.alloc(32)),
      )(q),
    'key swapped',
    () => 'in the database',
  ],
  [
    'an old checkpoint is shown',
    (q) => sql('update market.evidence_logs set checkpoint = $1', older)(q),
    'old checkpoint',
    () => 'was published',
  ],
];

test('nothing is found where nobody did anything', async () => {
  const { findings, scores, lines } = await checkAfter(async () => undefined);
  expect(findings).toEqual([]);
  expect([scores, lines]).toEqual([ids.length, LINES]);
});

test.each(ATTACKS)('%s', async (_name, attack, noticed, what) => {
  const { findings } = await checkAfter(attack);
  expect(findings).toContainEqual({ attack: noticed, what: expect.stringContaining(what()) });
});

test('a reader who was shown another history, signed by the same keys, proves it', async () => {
  const other = forged(rig.keys, leafHash('another history'));
  const { findings } = await checkAfter(async () => undefined, other);
  expect(findings.map(({ attack }) => attack)).toEqual(['two histories']);
  const { findings: none } = await checkAfter(async () => undefined, older);
  expect(none).toEqual([]);
});

test('each score among hundreds is found where it was changed', async () => {
  const step = 97;
  const some = Array.from({ length: 16 }, (_, nth) => score((nth * step) % ids.length));
  const attack = sql(
    'update market.scores set attempts = 5 - attempts where transaction_id = any ($1::uuid[])',
    some,
  );
  const { findings } = await checkAfter(attack);
  expect(findings.map(({ attack: kind, what }) => `${kind} ${what}`).sort()).toEqual(
    some.map((id) => `edited the score ${id}`).sort(),
  );
});
