/**
 * Goal: programs and data of 1.0.0 go on with each later 1.x. Method: what 1.0.0 promises was recorded, a line each, from the
 * document, the settings, the migrations, an entry that a real Redis delivers, its event there and in Kafka, exports and files of
 * archives; no line may be gone.
 * RISK_RECORD_PROMISES=1 adds the lines of a release that promises more.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodeEntry, type EntryFields } from '../../src/core/stream/entries/entry.ts';
import { SCORED_VERSION, toScoredRecords } from '../../src/core/stream/kafka/scored-events.ts';
import { settle } from '../../src/core/stream/settle/settle.ts';
import { toRow } from '../../src/core/work/decided.ts';
import { describeSettings } from '../../src/kit/config/config.ts';
import { archiveSchema } from '../../src/rooms/archive/archive-file.ts';
import { manifestSchema } from '../../src/rooms/archive/months/manifest.ts';
import { FLAT_COLUMNS } from '../../src/rooms/exports/columns.ts';
import { archivedFile, archiveLines, exportLines } from '../support/file-promises.ts';
import { type Document, documentOfRoutes } from '../support/openapi.ts';
import { documentLines, findBroken, schemaLines, valueLines } from '../support/promises.ts';
import { REPOSITORY } from '../support/risk.ts';
import { AT_MS, createStreamRig, marketIn, payload, stream } from '../support/stream-rig.ts';

const FILE = join(REPOSITORY, 'test/golden/promises-1.txt');
const recorded = existsSync(FILE) ? readFileSync(FILE, 'utf8').trimEnd().split('\n') : [];
const SQL = join(REPOSITORY, 'sql');
const EVENT_SCHEMA = join(REPOSITORY, `docs/schemas/transaction.scored-${SCORED_VERSION}.json`);

const rig = createStreamRig();
const document = await documentOfRoutes();
const settings = describeSettings();
const migrations = readdirSync(SQL).map((name) => ({ name, text: readFileSync(join(SQL, name)) }));
const eventSchema = JSON.parse(readFileSync(EVENT_SCHEMA, 'utf8'));

const sha256 = (text: Buffer) => createHash('sha256').update(text).digest('hex');
const settingLines = (all: typeof settings) =>
  all.map(({ name, byDefault }) => `setting ${name} is '${byDefault}' by default`);
const migrationLines = (all: typeof migrations) =>
  all.map(({ name, text }) => `migration ${name} is ${sha256(text)}`);

/** Each entry, and how a worker reads the entry: those recorded, and one that this release appends. */
function entryLines(entries: readonly EntryFields[], decode = decodeEntry): string[] {
  return entries.map((entry) => {
    const fields = JSON.stringify({ ...entry, packed: String(entry.packed) });
    try {
      return `entry ${fields} is read as ${JSON.stringify(decode(entry))}`;
    } catch (error) {
      return `entry ${fields} is refused: ${error}`;
    }
  });
}
const recordedEntries = recorded
  .filter((line) => line.startsWith('entry '))
  .map((line): EntryFields => {
    const fields = JSON.parse(line.slice('entry '.length, line.indexOf(' is read as ')));
    return { ...fields, packed: Buffer.from(fields.packed) };
  });

/** Manifests of archives, which later releases read. */
const manifests = {
  'archive of a market': z.toJSONSchema(archiveSchema, { io: 'input' }),
  'archive of a month': z.toJSONSchema(manifestSchema, { io: 'input' }),
};
const manifestLines = (all: Readonly<Record<string, object>>) =>
  Object.entries(all).flatMap(([name, schema]) => schemaLines(name, { ...schema }, 'from clients'));
const recordedFiles = recorded
  .filter((line) => line.startsWith('archived file '))
  .map((line) => line.split(' ')[2] ?? '');

const DECISION = { score: 990, risk: 0.99, verdict: 'decline', reasons: [] } as const;

/** An entry as a worker is given it, and the event of its score. */
async function throughRedis() {
  const sent = payload(1, { deviceId: 'd_1', country: 'US', declared: '{"plan":"gold"}' });
  await rig.producer().append([sent]);
  const [entryId = ''] = await rig.deliver('w', 1);
  const [[, fields] = ['', []]] = await rig.redis().xrange(stream.transactions, entryId, entryId);
  const [v = null, n, h = null, d = ''] = ['v', 'n', 'h', 'd'].map(
    (name) => fields[fields.indexOf(name) + 1],
  );
  const entry = { version: v, transactions: Number(n), head: h, packed: Buffer.from(d) };
  const rows = toRow(sent.transaction, { ...DECISION });
  const ended = {
    ...{ entryId, transactions: 1, scores: [{ count: 1, rows }], scoredAtMs: AT_MS },
    ...{ needsOwner: false, retries: [], deadLetters: [] },
  };
  const settlement = { stream, consumer: 'w', ended: [ended], replaced: [], replies: [] };
  const settlements = [{ ...settlement, isFrozen: true }];
  await settle(marketIn(rig.redis()), settlements);
  const [[, event] = ['', []]] = await rig.redis().xrange(stream.scored, '-', '+');
  const ofKafka = toScoredRecords('market_0', settlements).map(({ value, ...record }) => ({
    ...record,
    value: JSON.parse(String(value)),
  }));
  return { entry, event, ofKafka };
}
const eventLines = (event: readonly string[]) =>
  event.flatMap((name, at) => (at % 2 === 0 ? `event ${name} is ${event[at + 1]}` : []));

async function promisesNow(): Promise<string[]> {
  const { entry, event, ofKafka } = await throughRedis();
  return [
    ...documentLines(document),
    ...schemaLines('event of Kafka', eventSchema),
    ...settingLines(settings),
    ...migrationLines(migrations),
    ...entryLines([entry, ...recordedEntries]),
    ...eventLines(event),
    ...valueLines('record of Kafka', ofKafka),
    ...(await exportLines()),
    ...manifestLines(manifests),
    ...(await archiveLines([await archivedFile(), ...recordedFiles])),
  ];
}

test('no promise of 1.0.0 is broken', async () => {
  const now = await promisesNow();
  if (process.env['RISK_RECORD_PROMISES'] === '1') {
    const all = new Set([...recorded, ...now]);
    writeFileSync(FILE, `${[...all].sort().join('\n')}\n`);
    return;
  }
  expect(recorded.length).toBeGreaterThan(1000);
  expect(findBroken(recorded, now)).toEqual([]);
});

/** The document without a member, or with another one. */
function changed(path: readonly string[], value?: unknown): Document {
  const copy = structuredClone(document);
  let at: Record<string, unknown> = Object(copy);
  for (const name of path.slice(0, -1)) at = Object(at[name]);
  const last = path.at(-1) ?? '';
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
const SCORE = ['components', 'schemas', 'Score', 'properties'];
const SCORES = eventSchema.properties.scores.items;
const MONTH = manifests['archive of a month'];
const AMOUNT = { name: 'amount', kind: 'plain', at: 5, sql: '' } as const;
const batch = ['components', 'schemas', 'TransactionInput'];

test.each<[string, () => string[], () => string[]]>([
  [
    'an operation is gone',
    () => documentLines(document),
    () => documentLines(changed(['paths', '/v1/scores/{id}'])),
  ],
  [
    'a member of an answer is gone',
    () => documentLines(document),
    () => documentLines(changed([...SCORE, 'risk'])),
  ],
  [
    'a member of an answer has another type',
    () => documentLines(document),
    () => documentLines(changed([...SCORE, 'score'], { type: 'string' })),
  ],
  [
    'a body requires more',
    () => documentLines(document),
    () => documentLines(changed([...batch, 'required'], ['account_id', 'device_id'])),
  ],
  [
    'a body of a webhook lacks a member',
    () => documentLines(document),
    () =>
      documentLines(
        changed(
          [
            'webhooks',
            'transaction.decided',
            'post',
            'requestBody',
            'content',
            'application/json',
            'schema',
          ],
          {},
        ),
      ),
  ],
  [
    'a setting has another default',
    () => settingLines(settings),
    () => settingLines(settings.map((setting) => ({ ...setting, byDefault: '7' }))),
  ],
  ['a setting is gone', () => settingLines(settings), () => settingLines(settings.slice(1))],
  [
    'a released migration was edited',
    () => migrationLines(migrations),
    () =>
      migrationLines(
        migrations.map(({ name, text }) => ({
          name,
          text: Buffer.concat([text, Buffer.from('\n')]),
        })),
      ),
  ],
  [
    'an event of Kafka has no members',
    () => schemaLines('event', eventSchema),
    () => schemaLines('event', { ...eventSchema, properties: {} }),
  ],
  [
    'the elements of a score in Kafka change places',
    () => schemaLines('scores', SCORES),
    () => schemaLines('scores', { ...SCORES, prefixItems: SCORES.prefixItems.toReversed() }),
  ],
  [
    'a manifest of an archive requires more',
    () => manifestLines({ archive: { ...MONTH, required: [] } }),
    () => manifestLines({ archive: MONTH }),
  ],
])('the comparison finds that %s', (_change, was, is) => {
  expect(findBroken(was(), was())).toEqual([]);
  expect(findBroken(was(), is()).length).toBeGreaterThan(0);
});

test('the comparison finds that a worker reads an entry otherwise, and that an event has another field', async () => {
  const { entry, event } = await throughRedis();
  const other = (fields: EntryFields) => ({ ...decodeEntry(fields), transactions: [] });
  const refused = () => decodeEntry({ ...entry, version: '5' });
  for (const decode of [other, refused]) {
    expect(findBroken(entryLines([entry]), entryLines([entry], decode))).toHaveLength(1);
  }
  expect(findBroken(eventLines(event), eventLines(event.with(0, 'version')))).toHaveLength(1);
});

const [CSV, PARQUET] = ['export as CSV: ', 'export as Parquet: '];
test.each([
  ['a column is gone', FLAT_COLUMNS.slice(1), [CSV, PARQUET]],
  ['columns change places', FLAT_COLUMNS.toReversed(), [CSV]],
  ['a column has another name', FLAT_COLUMNS.with(5, { ...AMOUNT, name: 'value' }), [CSV, PARQUET]],
  ['a column has another kind', FLAT_COLUMNS.with(5, { ...AMOUNT, kind: 'float' }), [PARQUET]],
] as const)('the comparison finds that of an export %s', async (_change, columns, forms) => {
  const [was, is] = [await exportLines(), await exportLines(columns)];
  expect(findBroken(was, was)).toEqual([]);
  const broken = findBroken(was, is).join();
  for (const form of forms) expect(broken).toContain(`gone: ${form}`);
});

test('the comparison finds that a release reads a file of an archive otherwise, and a moved field of Kafka', async () => {
  const file = await archivedFile();
  const other = async () => [['1']];
  expect(findBroken(await archiveLines([file]), await archiveLines([file], other))).toHaveLength(1);
  const { ofKafka } = await throughRedis();
  const moved = ofKafka.map(({ headers: _, ...record }) => ({ ...record, version: '1' }));
  const lines = (records: object) => valueLines('record of Kafka', records);
  expect(findBroken(lines(ofKafka), lines(moved))).toEqual([
    'gone: record of Kafka/0/headers/v is "1"',
  ]);
});
