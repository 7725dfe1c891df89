/**
 * Copies a market for tests. Values become tokens between the two databases, so no file, WAL or statement of the target ever has a
 * clear value. The key of the tokens is thrown away, and no row leads from a token to its value.
 */
import { randomBytes } from 'node:crypto';
import { PERSONAL_IDS, pathIn, tokenOf, walkPath } from '../../../core/domain/personal.ts';
import { makeMarket } from '../../../core/store/make-market.ts';
import {
  ensurePartitions,
  isDetached,
  listMonthTables,
} from '../../../core/store/partitions/partitions.ts';
import { hmacOf, spelled } from '../../../core/store/subject-lookup.ts';
import { KEY_BYTES } from '../../../kit/access/seal.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { inSnapshot, readPages } from '../../../kit/database/snapshot.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { monthText } from '../../../kit/words/month.ts';
import { listFields } from '../store.ts';
import { COPIED, type Copied, type CopiedValue, VALUES } from './copied-tables.ts';

/** Rows of one statement, about a kilobyte each. Larger: more memory; smaller: more statements. */
const PAGE_ROWS = 2000;
/** In place of free text: columns may refuse an empty one. */
const TEXT = `'left out'`;
const BY = byCommand('privacy anonymise');

type Anonymising = {
  readonly config: Config;
  readonly source: Database;
  readonly target: Database;
  readonly targetUrl: string;
  /** Beside the three ids, and what the market declares. */
  readonly fields: readonly string[];
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  readonly progress: (text: string) => void;
};

/** @returns `rows`: how many were copied, by table */
export async function anonymise(anonymising: Anonymising) {
  const { config, source, target, targetUrl, signal, note } = anonymising;
  const market = config.RISK_MARKET;
  const { has } = await hasSchema(target.query, market);
  if (has)
    throw new Failure(
      'conflict',
      'COPY_TARGET_TAKEN',
      `the target has the schema ${market} already: a copy goes into a database without one, so drop the schema if it is an old or an unfinished copy`,
    );
  return await inSnapshot(source, async (read) => {
    await refuse(read, anonymising.fields);
    const declared = (await listFields(read)).map(({ field }) => field);
    const fields = [...new Set([...PERSONAL_IDS, ...declared, ...anonymising.fields])];
    const corridors = (await listCorridors(read)).map(({ corridor }) => corridor);
    const months = [...(await listMonthTables(read))];
    const making = { config, url: targetUrl, market, corridors, by: BY, onProgress: note };
    const rows: Record<string, number> = {};
    await makeMarket(making, async () => {
      const attached = months.filter(([, tables]) => !isDetached(tables)).map(([month]) => month);
      await ensurePartitions(target, attached, BY);
      const tokenFor = createTokens();
      // A copy is one commit, so a copy that was stopped has no row.
      await target.transaction(async (write) => {
        for (const [table, copied] of Object.entries(COPIED)) {
          signal.throwIfAborted();
          const anonymous = { ...anonymising, fields, tokenFor };
          rows[table] = await copyTable(read, write, table, copied, anonymous);
        }
      });
    });
    const left = months.filter(([, tables]) => isDetached(tables));
    return { fields, rows, monthsLeftOut: left.map(([month]) => monthText(month)).sort() };
  });
}

const hasSchema = onlyOf<{ has: boolean }, [market: string]>(
  'has-schema-for-copy',
  'select to_regnamespace($1) is not null as has',
);
const listCorridors = rowsOf<{ corridor: string }>(
  'list-corridors-for-copy',
  'select corridor from market.corridors order by corridor',
);

/** Finds a score whose rules have read a member of metadata. */
const findInput = firstOf<{ id: string }, [name: string]>(
  'find-score-by-rule-input',
  'select transaction_id::text as id from market.scores where rule_inputs -> $1 is not null limit 1',
);

async function refuse(read: Query, fields: readonly string[]): Promise<void> {
  for (const field of fields) {
    const [member] = pathIn(field);
    if (member === undefined) continue;
    const score = await findInput(read, `metadata.${member}`);
    if (score !== undefined)
      throw new Failure(
        'conflict',
        'PERSONAL_LATE',
        `rules have read metadata.${member}: scores as that of ${score.id} were made of its values, and cannot be verified without them`,
      );
  }
}

type TokenFor = (field: string, text: string) => string;
function createTokens(): TokenFor {
  const hmac = hmacOf(randomBytes(KEY_BYTES));
  return (field, text) => {
    const hex = hmac(`${field}\0${spelled(field, text)}`);
    return field === 'hash' ? hex : tokenOf(field, hex);
  };
}

type Column = { readonly name: string; readonly type: string; readonly isIdentity: boolean };
const listColumns = rowsOf<Column, [table: string]>(
  'list-columns-for-copy',
  `select attname::text as name, format_type(atttypid, atttypmod) as type, attidentity <> '' as "isIdentity"
     from pg_attribute where attrelid = to_regclass('market.' || $1) and attnum > 0 and not attisdropped order by attnum`,
);

type Row = Record<string, string | null>;
type Anonymous = Pick<Anonymising, 'fields' | 'signal' | 'progress'> & {
  readonly tokenFor: TokenFor;
};

async function copyTable(
  read: Query,
  write: Query,
  table: string,
  copied: Copied,
  anonymous: Anonymous,
): Promise<number> {
  const { without = [], isWide = false } = copied;
  const columns = (await listColumns(read, table)).filter(({ name }) => !without.includes(name));
  const values = VALUES.filter((value) => value.table === table);
  await write({ text: `alter table market.${table} disable trigger user` });
  // A migration has made the first rows of some tables.
  await write({ text: `delete from market.${table}` });
  const insert = insertText(table, columns);
  let rows = 0;
  const pages = readPages<Row>(
    read,
    selectText(table, columns, copied, values),
    isWide ? 1 : PAGE_ROWS,
    anonymous.signal,
  );
  for await (const page of pages) {
    const made = page.map((row) => withTokens(row, copied, values, anonymous));
    await write(
      { text: insert },
      columns.map(({ name }) => made.map((row) => row[name] ?? null)),
    );
    rows += page.length;
    anonymous.progress(`${table}: ${rows} rows`);
  }
  for (const { name } of columns.filter(({ isIdentity }) => isIdentity)) {
    await write({
      text: `select setval(pg_get_serial_sequence('market.${table}', '${name}'), coalesce(max(${name}), 0) + 1, false) from market.${table}`,
    });
  }
  await write({ text: `alter table market.${table} enable trigger user` });
  return rows;
}

/** Name of the column that says whether the row has the value. */
const flagOf = (nth: number) => `has ${nth}`;

function selectText(
  table: string,
  columns: readonly Column[],
  { texts = [], set = {} }: Copied,
  values: readonly CopiedValue[],
): string {
  const expressionOf = (name: string) => {
    if (texts.includes(name)) return `case when t."${name}" is not null then ${TEXT} end`;
    return set[name] ?? `t."${name}"`;
  };
  const cells = columns.map(({ name }) => `(${expressionOf(name)})::text as "${name}"`);
  const flags = values.map(
    ({ where = 'true' }, nth) => `case when ${where} then 'yes' end as "${flagOf(nth)}"`,
  );
  return `select ${[...cells, ...flags].join(', ')} from market.${table} t`;
}

function insertText(table: string, columns: readonly Column[]): string {
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const typed = columns.map(({ name, type }) => `u."${name}"::${type}`).join(', ');
  const given = columns.map((_, at) => `$${at + 1}::text[]`).join(', ');
  return `insert into market.${table} (${names}) overriding system value select ${typed} from unnest(${given}) as u (${names})`;
}

function withTokens(
  row: Row,
  { people = [] }: Copied,
  values: readonly CopiedValue[],
  { fields, tokenFor }: Anonymous,
): Row {
  const made: Row = { ...row };
  for (const [nth, { column, from = column, field }] of values.entries()) {
    const text = row[from] ?? null;
    if (text !== null && row[column] !== null && row[flagOf(nth)] === 'yes')
      made[column] = tokenFor(field, text);
  }
  for (const column of people) {
    const name = row[column] ?? null;
    // The engine is nobody.
    if (name !== null && name !== 'engine') made[column] = tokenFor('person', name);
  }
  const { metadata = null } = row;
  if (metadata !== null) made['metadata'] = ofMetadata(metadata, fields, tokenFor);
  return made;
}

/** Returns the text as it is where the metadata have no member of the fields. */
function ofMetadata(text: string, fields: readonly string[], tokenFor: TokenFor): string {
  const document: unknown = JSON.parse(text);
  let isChanged = false;
  for (const field of fields) {
    walkPath(document, pathIn(field), (holder, name) => {
      holder[name] = tokenFor(field, JSON.stringify(holder[name]));
      isChanged = true;
    });
  }
  return isChanged ? JSON.stringify(document) : text;
}
