/** Rewrites the tables of a market batch by batch. A batch is one commit, with the position from which the next one goes on. */
import { canonicalJson } from '../../../core/domain/metadata.ts';
import { isPersonalId } from '../../../core/domain/personal.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { Failpoint } from '../../../kit/process/failpoint.ts';
import { DOCUMENTS, type DocumentTable } from '../catalogue.ts';
import type { Subjects, Wanted } from '../subjects.ts';
import { spelled } from '../tokens.ts';
import { findHoles, type Hole } from './documents.ts';
import { collectText, type Rewriting, rewriteText, rewritingsOf, sourcesOf } from './statements.ts';
import * as store from './store.ts';

/** Blocks of 8 KiB of a batch, some 10,000 rows. Larger: locks and commits take longer; smaller: more commits. */
const BATCH_BLOCKS = 250;
/** Values of a batch that get tokens. Larger: longer statements; smaller: more of them. */
const BATCH_VALUES = 5000;
/** Rows that others copied while a pass ran are found by the next pass. More: a busier market ends, too. Bounds one run of the command. */
const PASSES_MAX = 10;

export type Rewriter = {
  readonly database: Database;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  readonly fields: readonly string[];
  readonly subjects: Pick<Subjects, 'nameAll'>;
};

/** @returns rows rewritten, by all runs of the migration */
export async function rewriteTables(rewriter: Rewriter): Promise<number> {
  const { database } = rewriter;
  let {
    pass = 1,
    rows = 0,
    tables = {},
  } = (await store.findMigration(database.query))?.progress ?? {};
  const lastPass = pass + PASSES_MAX - 1;
  for (; pass <= lastPass; pass++) {
    const beganWith = rows;
    const isWhole = Object.keys(tables).length === 0;
    await collect(rewriter);
    await nameAll(rewriter);
    for (const work of worksOf(rewriter.fields)) {
      for (const { name, blocks } of await store.listLeaves(database.query, work.table)) {
        const key = `${work.key} ${name}`;
        for (let block = tables[key] ?? 0; block < blocks; block += BATCH_BLOCKS) {
          rewriter.signal.throwIfAborted();
          tables = { ...tables, [key]: block + BATCH_BLOCKS };
          const progress = (more: number) => ({ pass, rows: rows + more, tables });
          const range = [`(${block},0)`, `(${block + BATCH_BLOCKS},0)`] as const;
          const more = await batch(rewriter, name, progress, (query) =>
            work.run(query, name, range, rewriter),
          );
          rows += more;
          rewriter.failpoint('privacy-step');
          rewriter.progress(
            `pass ${pass}, ${name}: block ${Math.min(block + BATCH_BLOCKS, blocks)} of ${blocks}, ${rows} rows rewritten`,
          );
        }
      }
    }
    tables = {};
    // A pass that found nothing from its first block on proves that nothing is left.
    if (rows === beganWith && isWhole) return rows;
  }
  throw new Error(`rows with clear values are still written after ${PASSES_MAX} passes`);
}

type Range = readonly [from: string, to: string];
type Work = {
  readonly key: string;
  readonly table: string;
  readonly run: (query: Query, leaf: string, range: Range, rewriter: Rewriter) => Promise<number>;
};

/** Documents come first, as a dead letter quotes the values of its own. */
function worksOf(fields: readonly string[]): Work[] {
  const ofDocuments = DOCUMENTS.map(
    (documents): Work => ({
      key: 'documents',
      table: documents.table,
      run: (query, leaf, range, rewriter) =>
        rewriteDocuments(query, leaf, range, documents, rewriter),
    }),
  );
  const ofValues = rewritingsOf(fields).map(
    (rewriting, nth): Work => ({
      key: `values ${nth}`,
      table: rewriting.table,
      run: (query, leaf, range) => rewriteValues(query, leaf, range, rewriting),
    }),
  );
  return [
    ...ofValues.filter(({ table }) => table === 'transactions'),
    ...ofDocuments,
    ...ofValues.filter(({ table }) => table !== 'transactions'),
  ];
}

/** Lifts what refuses updates of the table within the commit. */
async function batch(
  { database }: Rewriter,
  leaf: string,
  progress: (rows: number) => store.Progress,
  run: (query: Query) => Promise<number>,
): Promise<number> {
  return await database.transaction(async (query) => {
    await store.requireStep(query, 'rewrite');
    const guards = await store.listGuards(query, leaf);
    for (const guard of guards) await query({ text: liftText(leaf, guard) });
    const rows = await run(query);
    for (const guard of guards) await query({ text: restoreText(leaf, guard) });
    await store.saveStep(query, 'rewrite', JSON.stringify(progress(rows)));
    return rows;
  });
}

const liftText = (leaf: string, { kind, name }: store.Guard) =>
  kind === 'trigger'
    ? `alter table market."${leaf}" disable trigger "${name}"`
    : `alter table market."${leaf}" drop constraint "${name}"`;
const MODES: Readonly<Record<string, string>> = {
  O: 'enable',
  A: 'enable always',
  R: 'enable replica',
  D: 'disable',
};
const restoreText = (leaf: string, { kind, name, mode }: store.Guard) =>
  kind === 'trigger'
    ? `alter table market."${leaf}" ${MODES[mode] ?? 'enable'} trigger "${name}"`
    : `alter table market."${leaf}" add constraint "${name}" check (false) not valid`;

async function rewriteValues(
  query: Query,
  leaf: string,
  range: Range,
  rewriting: Rewriting,
): Promise<number> {
  const [done] = await query<{ rows: number }>({ text: rewriteText(leaf, rewriting) }, range);
  return done?.rows ?? 0;
}

/** Puts all clear values of tables into `personal_values`. */
async function collect({ database, fields, signal }: Rewriter): Promise<void> {
  for (const source of sourcesOf(fields)) {
    for (const { name } of await store.listLeaves(database.query, source.table)) {
      signal.throwIfAborted();
      await database.write({ text: collectText(name, source) });
    }
  }
}

/** The text by which the edge finds the subject of a value; jsonb has the members of an object in an order of its own. */
const wantedOf = ({ field, value }: Pick<store.NewValue, 'field' | 'value'>): Wanted => ({
  field,
  text: isPersonalId(field) ? spelled(field, value) : canonicalJson(JSON.parse(value)),
});

/** Makes a subject of each value, and gives its token to the value. */
async function nameAll({ database, subjects, signal, progress }: Rewriter): Promise<void> {
  let after: Pick<store.NewValue, 'field' | 'digest'> = { field: '', digest: Buffer.alloc(0) };
  let named = 0;
  for (;;) {
    signal.throwIfAborted();
    const values = await store.listUnnamed(database.query, after.field, after.digest, BATCH_VALUES);
    const last = values.at(-1);
    if (last === undefined) return;
    const tokens = await subjects.nameAll(values.map(wantedOf));
    const fields = values.map((value) => value.field);
    const digests = values.map((value) => value.digest);
    await store.nameValues(database.query, fields, digests, tokens);
    after = last;
    named += values.length;
    progress(`${named} values have tokens`);
  }
}

type DocumentRow = Readonly<Record<string, string | null>>;

async function rewriteDocuments(
  query: Query,
  leaf: string,
  range: Range,
  { documents, quotes = [] }: DocumentTable,
  { fields, subjects }: Rewriter,
): Promise<number> {
  const kinds = new Map((await store.listKinds(query)).map(({ name, kind }) => [name, kind]));
  const columns = Object.keys(documents);
  const texts = [...columns, ...quotes].map((column) => `t.${column}::text as ${column}`);
  const rows = await query<DocumentRow>(
    {
      text: `select t.ctid::text as at, ${texts.join(', ')} from market."${leaf}" t
              where t.ctid >= $1::text::tid and t.ctid < $2::text::tid for update`,
    },
    range,
  );
  const holes: Hole[] = [];
  const read = rows.map((row) => readRow(row, columns, fields, kinds));
  for (const one of read) holes.push(...one.holes);
  const tokens = await subjects.nameAll(holes.map(wantedOf));
  const tokenOf = new Map(holes.map((hole, nth) => [hole, tokens[nth] ?? '']));
  for (const [hole, token] of tokenOf) hole.fill(token);
  const changed = read.filter((one) => one.holes.length > 0 || one.isUnread);
  if (changed.length === 0) return 0;
  const casts = [
    ...columns.map((column) => documents[column] ?? 'text'),
    ...quotes.map(() => 'text'),
  ];
  const names = [...columns, ...quotes];
  await query(
    {
      text: `update market."${leaf}" t set ${names.map((name, nth) => `${name} = u.c${nth}::${casts[nth]}`).join(', ')}
               from unnest($1::text[], ${names.map((_, nth) => `$${nth + 2}::text[]`).join(', ')})
                 as u (at, ${names.map((_, nth) => `c${nth}`).join(', ')})
              where t.ctid = u.at::tid`,
    },
    [
      changed.map(({ row }) => row['at']),
      ...columns.map((column) => changed.map(({ parsed }) => writtenOf(parsed.get(column)))),
      ...quotes.map((column) =>
        changed.map(({ row, holes: own }) => requoted(row[column] ?? null, own, tokenOf)),
      ),
    ],
  );
  return changed.length;
}

const UNREAD = Symbol('no JSON');
function writtenOf(document: unknown): string | null {
  if (document === null || document === undefined) return null;
  return document === UNREAD || document === '' ? '' : JSON.stringify(document);
}

function readRow(
  row: DocumentRow,
  columns: readonly string[],
  fields: readonly string[],
  kinds: ReadonlyMap<string, string>,
) {
  const holes: Hole[] = [];
  const parsed = new Map<string, unknown>();
  let isUnread = false;
  for (const column of columns) {
    const document = parse(row[column] ?? null);
    parsed.set(column, document);
    isUnread ||= document === UNREAD;
    findHoles(document, fields, kinds, (hole) => holes.push(hole));
  }
  return { row, parsed, holes, isUnread };
}

function parse(text: string | null): unknown {
  // An empty text is what an entry that could not be read has become.
  if (text === null || text === '') return text;
  try {
    return JSON.parse(text);
  } catch {
    return UNREAD;
  }
}

function requoted(
  text: string | null,
  holes: readonly Hole[],
  tokenOf: ReadonlyMap<Hole, string>,
): string | null {
  let quoted = text;
  for (const hole of holes)
    quoted = quoted?.replaceAll(hole.value, tokenOf.get(hole) ?? '') ?? null;
  return quoted;
}
