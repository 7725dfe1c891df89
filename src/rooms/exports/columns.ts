/** The columns of an exported row, in order: what Postgres selects, what each is called, and how its text is read. */

/**
 * - plain: no character needs an escape, in JSON or in CSV.
 * - time: an instant of whole milliseconds, in UTC, as the sessions of the engine write it: `2026-11-20 09:29:00.25+00`.
 * - json: JSON already.
 * - reasons: JSON of the reasons of a score, of which the flat forms (CSV and Parquet) have the codes.
 */
export type ColumnKind = 'plain' | 'text' | 'time' | 'integer' | 'float' | 'json' | 'reasons';

export type ExportColumn = {
  readonly name: string;
  readonly kind: ColumnKind;
  /** `t` is the transaction, `s` its score and `l` the label that decides; the latter two may be null. */
  readonly sql: string;
};

const of = (alias: string, kind: ColumnKind, ...names: readonly string[]): ExportColumn[] =>
  names.map((name) => ({ name, kind, sql: `${alias}.${name}` }));

/** A purged dead letter still is the end of its transaction; a replayed one is not. */
const STATUS = `case when s.score is not null then 'scored'
       when exists (select from market.dead_letters d where d.transaction_id = t.transaction_id
                     and d.replayed_at is null) then 'dead_lettered'
       else 'accepted' end`;

export const TRANSACTION_COLUMNS: readonly ExportColumn[] = [
  ...of('t', 'plain', 'transaction_id'),
  { name: 'status', kind: 'plain', sql: STATUS },
  ...of('t', 'text', 'client', 'account_id', 'merchant_id'),
  ...of('t', 'plain', 'amount', 'currency', 'corridor'),
  ...of('t', 'time', 'created_at', 'received_at'),
  ...of('t', 'text', 'type', 'ip', 'device_id', 'country', 'channel'),
  ...of('t', 'json', 'metadata'),
];

/** All null for a transaction without a score. */
export const SCORE_COLUMNS: readonly ExportColumn[] = [
  ...of('s', 'time', 'scored_at'),
  ...of('s', 'integer', 'score'),
  ...of('s', 'float', 'risk', 'probability'),
  ...of('s', 'plain', 'verdict'),
  ...of('s', 'reasons', 'reasons'),
  ...of('s', 'text', 'rule_set', 'model'),
  ...of('s', 'integer', 'attempts', 'degradation'),
];

export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  ...TRANSACTION_COLUMNS,
  ...SCORE_COLUMNS,
  ...of('l', 'plain', 'label'),
  ...of('s', 'float', 'margin'),
  ...of('s', 'integer', 'scorecard', 'by_rules'),
];

/** A column of the flat forms, CSV and Parquet, and where its cell is in a row. */
export type FlatColumn = Pick<ExportColumn, 'name' | 'kind' | 'sql'> & { readonly at: number };

const CODES = `case when s.reasons <> '[]' then
  (select string_agg(reason ->> 'code', ' ') from jsonb_array_elements(s.reasons) reason) end`;

/** `sql` selects the text of a cell in CSV. */
export const FLAT_COLUMNS: readonly FlatColumn[] = EXPORT_COLUMNS.map((column, at) =>
  column.kind === 'reasons'
    ? { name: 'reason_codes', kind: 'reasons', sql: CODES, at }
    : { ...column, at },
);

/** A row as Postgres wrote it, a text for each of EXPORT_COLUMNS. */
export type ExportRow = readonly (string | null)[];

/** Characters of rows: what they take of memory, but for the objects. */
export const charsOf = (rows: readonly ExportRow[]): number =>
  rows.reduce((sum, row) => row.reduce((chars, text) => chars + (text?.length ?? 0), sum), 0);
