/** SQL that finds and rewrites clear values of a table, made of the catalogue. */
import { isPersonalId, pathIn, tokenPattern } from '../../../core/domain/personal.ts';
import { HASHES, type KeptValue, METADATA, VALUES } from '../catalogue.ts';

/** Columns of a table that one statement rewrites; rows have the name `t`. */
export type Rewriting = {
  readonly table: string;
  readonly sets: readonly string[];
  /** A condition of rows with a clear value. */
  readonly isClear: string;
};

/** Selects clear values of a field. */
export type Source = {
  readonly table: string;
  readonly field: string;
  /** Clauses that follow the name of the table, with the value as `value`. */
  readonly value: string;
  readonly from: string;
};

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;
const isClearText = (text: string, field: string) => `${text} !~ ${quoted(tokenPattern(field))}`;
const CLEAR_MEMBER = `not (jsonb_typeof(member) = 'string' and member #>> '{}' ~ ${quoted(tokenPattern('metadata'))})`;
const digestOf = (text: string) => `sha256(convert_to(${text}, 'UTF8'))`;

function tokenOfText(text: string, field: string): string {
  const found = `select v.token from market.personal_values v where v.field = ${quoted(field)} and v.digest = ${digestOf(text)}`;
  return `coalesce((${found}), ${text})`;
}

const textOf = ({ column, as }: KeptValue) => `t.${as?.column ?? column}`;

function ofValue(kept: KeptValue): Omit<Rewriting, 'table'> {
  const token = tokenOfText(textOf(kept), kept.field);
  const cast = kept.as === undefined ? '' : `::${kept.as.type}`;
  return {
    sets: [`${kept.column} = (${token})${cast}`],
    isClear: isClearText(textOf(kept), kept.field),
  };
}

const pathOf = (field: string) => `array[${pathIn(field).map(quoted).join(', ')}]`;
/** An index-free look at the first name spares most rows the walk. */
const hasPath = (column: string, field: string) =>
  `t.${column} ? ${quoted(pathIn(field)[0] ?? '')}`;
const membersOf = (column: string, field: string) =>
  `market.personal_members(t.${column}, ${pathOf(field)}) as member`;

function ofMetadata(column: string, paths: readonly string[]): Omit<Rewriting, 'table'> {
  let value = `t.${column}`;
  for (const field of paths)
    value = `market.personal_metadata(${value}, ${quoted(field)}, ${pathOf(field)})`;
  const clear = paths.map(
    (field) =>
      `(${hasPath(column, field)} and exists (select from ${membersOf(column, field)} where ${CLEAR_MEMBER}))`,
  );
  return { sets: [`${column} = ${value}`], isClear: clear.join(' or ') };
}

/** All statements of the declared fields, in the order of the catalogue; one statement for all columns with one condition. */
export function rewritingsOf(fields: readonly string[]): Rewriting[] {
  const groups = new Map<string, { table: string; sets: string[]; clear: string[] }>();
  const add = (table: string, where: string, { sets, isClear }: Omit<Rewriting, 'table'>) => {
    const key = `${table} ${where}`;
    const group = groups.get(key) ?? { table, sets: [], clear: [] };
    group.sets.push(...sets);
    group.clear.push(where === '' ? isClear : `(${where} and ${isClear})`);
    groups.set(key, group);
  };
  const paths = fields.filter((field) => !isPersonalId(field));
  for (const kept of VALUES) {
    if (fields.includes(kept.field)) add(kept.table, kept.where ?? '', ofValue(kept));
  }
  if (paths.length > 0) {
    for (const { table, column } of METADATA) add(table, '', ofMetadata(column, paths));
  }
  for (const { table, column, unknown, where = '', fields: hashed = fields } of HASHES) {
    if (!hashed.some((field) => fields.includes(field))) continue;
    const isClear = `t.${column} <> ${unknown}`;
    add(table, where, { sets: [`${column} = ${unknown}`], isClear });
  }
  return [...groups.values()].map(({ table, sets, clear }) => ({
    table,
    sets,
    isClear: clear.join(' or '),
  }));
}

export function sourcesOf(fields: readonly string[]): Source[] {
  const ofValues = VALUES.filter(({ field }) => fields.includes(field)).map((kept): Source => {
    const where = kept.where === undefined ? '' : `${kept.where} and `;
    const { table, field } = kept;
    return {
      table,
      field,
      value: textOf(kept),
      from: `where ${where}${isClearText(textOf(kept), field)}`,
    };
  });
  const ofMembers = fields
    .filter((field) => !isPersonalId(field))
    .flatMap((field) =>
      METADATA.map(
        ({ table, column }): Source => ({
          table,
          field,
          value: 'member::text',
          from: `cross join lateral ${membersOf(column, field)} where ${hasPath(column, field)} and ${CLEAR_MEMBER}`,
        }),
      ),
    );
  return [...ofValues, ...ofMembers];
}

/** @param leaf a table without partitions */
export const collectText = (leaf: string, { field, value, from }: Source): string =>
  `insert into market.personal_values (field, digest, value)
   select ${quoted(field)}, ${digestOf('value')}, value from (select distinct ${value} as value from market."${leaf}" t ${from}) as clear
   on conflict do nothing`;

/** Rewrites the rows of a range of blocks. */
export const rewriteText = (leaf: string, { sets, isClear }: Rewriting): string =>
  `with rewritten as (
     update market."${leaf}" t set ${sets.join(', ')}
      where t.ctid >= $1::text::tid and t.ctid < $2::text::tid and (${isClear}) returning 1)
   select count(*)::int as rows from rewritten`;
