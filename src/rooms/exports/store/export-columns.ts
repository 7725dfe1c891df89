/** The columns of an exported row, in order: what Postgres selects, what each is called, and how its text is read. */

/**
 * - plain: nothing in it needs an escape, in JSON or in CSV.
 * - time: seconds since 1970 as a decimal, whatever zone and style the session writes times in.
 * - json: JSON already.
 */
export type ColumnKind = 'plain' | 'text' | 'time' | 'integer' | 'float' | 'json';

export type ExportColumn = {
  readonly name: string;
  readonly kind: ColumnKind;
  /** `t` is the transaction, `s` its score and `l` the label that decides; the latter two may be null. */
  readonly sql: string;
};

const time = (name: string, alias: string): ExportColumn => ({
  ...{ name, kind: 'time', sql: `date_part('epoch', ${alias}.${name})` },
});
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
  ...[time('created_at', 't'), time('received_at', 't')],
  ...of('t', 'text', 'type', 'ip', 'device_id', 'country', 'channel'),
  ...of('t', 'json', 'metadata'),
];

/** All null for a transaction without a score. */
export const SCORE_COLUMNS: readonly ExportColumn[] = [
  time('scored_at', 's'),
  ...of('s', 'integer', 'score'),
  ...of('s', 'float', 'risk', 'probability'),
  ...of('s', 'plain', 'verdict'),
  ...of('s', 'json', 'reasons'),
  ...of('s', 'text', 'rule_set', 'model'),
  ...of('s', 'integer', 'attempts', 'degradation'),
];

const LABEL_COLUMNS = of('l', 'plain', 'label');

export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  ...[...TRANSACTION_COLUMNS, ...SCORE_COLUMNS, ...LABEL_COLUMNS],
];

/** A row as Postgres wrote it, a text for each of EXPORT_COLUMNS. */
export type ExportRow = readonly (string | null)[];

/** Characters of rows: what they take of memory, but for the objects. */
export const charsOf = (rows: readonly ExportRow[]): number =>
  rows.reduce((sum, row) => row.reduce((chars, text) => chars + (text?.length ?? 0), sum), 0);

/** Epoch milliseconds of the text of a `time`. */
export const timeMs = (text: string): number => Math.round(Number(text) * 1000);
