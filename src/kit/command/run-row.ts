/** A row of a command: reads its words and options, calls its operation and prints the answer. */
import { type Call, callApi, notTheContract } from '../client/api-client.ts';
import { singular } from '../http/examples.ts';
import { withApi } from './api.ts';
import { type CommandContext, EXIT, integerOption, parseArguments, UsageError } from './command.ts';
import { describeField, type Field, type Operation, parseField, valueWord } from './operation.ts';
import type { Column, Row as Fields, Output } from './output.ts';

export type Row = {
  /** `operationId` in the document. */
  readonly operation: string;
  /** In place of the operation's own summary. */
  readonly summary?: string;
  /** Words after the action's name: each names a field, or reads fields from a file. Absent: the words of the path. */
  readonly words?: Readonly<Record<string, string | ((text: string) => Promise<Fields>)>>;
  /** Fields whose option has another name, by that name; false: the action takes no options. */
  readonly options?: Readonly<Record<string, string>> | false;
  /** Fields that are sent unless an option gives them. */
  readonly fields?: Fields;
  /** Fields without which the action is refused, though the operation takes it. */
  readonly needs?: readonly string[];
  /** Flags that give fields; a field that is undefined is not sent. */
  readonly flags?: Readonly<Record<string, { readonly summary: string; readonly fields: Fields }>>;
  /** Says what the action does where `--yes` is needed, and is undefined where it is not. */
  readonly mustBeMeant?: (fields: Fields) => string | undefined;
  /** Makes of a row of a list, or of another answer, what people read; `--json` prints the row as it is. */
  readonly tell?: (row: Fields) => Fields;
  /** Columns of the table of a list; absent: the plain members of its rows. */
  readonly columns?: readonly (string | Column)[];
  /** The member of the answer that is printed, in place of all of it. */
  readonly shows?: string;
  /** Printed where the answer is empty. */
  readonly says?: string;
  /** Text on standard error that a person needs besides the members of the answer, such as the next command. */
  readonly notes?: (answer: Fields, request: Fields) => string | undefined;
  /** True: the answer is JSON for people, too, because another action takes it as a file. */
  readonly isFile?: boolean;
  /** Does something else with the call than to send it and print the answer. */
  readonly carryOut?: (
    call: Call,
    own: Readonly<Record<string, string | undefined>>,
    context: CommandContext,
  ) => Promise<number>;
  /** Options of `carryOut` beside `--url` that are no fields: what the usage says of each, and of its value. */
  readonly own?: Readonly<Record<string, { readonly value: string; readonly summary: string }>>;
};

/** Most rows of a list: they are in memory until they are printed. */
const LIST_ROWS_MAX = 100_000;
const LIST_ROWS = 50;
/** Most rows of one page of the API. */
const PAGE_ROWS_MAX = 200;
const TEXT = { type: 'string' } as const;
const FLAG = { type: 'boolean' } as const;

const isFlag = ({ schema }: Field) => schema.type === 'boolean';
const isPaged = ({ fields }: Operation) => fields.has('cursor');
const flagOf = (name: string) => name.toLowerCase().replaceAll('_', '-');

/** Words of the action: RULE_SET is the `id` of `/v1/rule-sets/{id}`. */
function wordsOf({ words }: Row, { path }: Operation): NonNullable<Row['words']> {
  const segments = path.split('/');
  const named = segments.flatMap((segment, at) => {
    const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
    if (name === undefined) return [];
    const word = name === 'id' ? singular(segments[at - 1] ?? '') : name.replace(/_id$/, '');
    return [[word.replaceAll('-', '_').toUpperCase(), name]];
  });
  return words ?? Object.fromEntries(named);
}

/** Fields that are options, by the name of the option. @throws Error for a row that the document does not fit */
function optionsOf(row: Row, operation: Operation): ReadonlyMap<string, Field> {
  const { fields, path } = operation;
  const given = wordsOf(row, operation);
  const named = new Map(Object.entries(row.options || {}).map(([flag, name]) => [name, flag]));
  const words = Object.values(given).filter((word) => typeof word === 'string');
  const fixed = [...words, ...Object.keys(row.fields ?? {})];
  const needs = row.needs ?? [];
  const absent = [...named.keys(), ...fixed, ...needs].find((name) => !fields.has(name));
  if (absent !== undefined) throw new Error(`${path} has no field ${absent}`);
  const readsFile = words.length < Object.keys(given).length;
  const offered = [...fields.values()].filter(
    ({ name, in: where }) =>
      named.has(name) ||
      !(
        row.options === false ||
        [...fixed, 'limit', 'cursor'].includes(name) ||
        (readsFile && where === 'body')
      ),
  );
  return new Map(
    offered.map((field) => {
      const isRequired = field.isRequired || needs.includes(field.name);
      return [named.get(field.name) ?? flagOf(field.name), { ...field, isRequired }];
    }),
  );
}

/** Text of the usage about a row. */
export function describeRow(row: Row, operation: Operation) {
  const options = [...optionsOf(row, operation)].map(([flag, field]) => [
    `--${flag}${valueWord(field)}`,
    describeField(field, row.fields?.[field.name]),
  ]);
  const flags = Object.entries(row.flags ?? {}).map(([flag, { summary }]) => [
    `--${flag}`,
    summary,
  ]);
  const limit = isPaged(operation) ? [['--limit N', `Rows (${LIST_ROWS})`]] : [];
  const own = Object.entries(row.own ?? {}).map(([flag, { value, summary }]) => [
    `--${flag} ${value}`,
    summary,
  ]);
  return {
    words: Object.keys(wordsOf(row, operation)).join(' '),
    summary: row.summary ?? operation.summary,
    options: Object.fromEntries([
      ...own,
      ...options,
      ...flags,
      ...(row.mustBeMeant ? [['--yes', 'It is meant']] : []),
      ...limit,
    ]),
  };
}

export async function runRow(
  row: Row,
  operation: Operation,
  args: string[],
  context: CommandContext,
): Promise<number> {
  const { fields, rows, own } = await readArguments(row, operation, args);
  if (row.carryOut !== undefined) {
    return await row.carryOut(partsOf(operation, fields), own, context);
  }
  const answer = await withApi(context, own['url'], async (client) => {
    const call = (more: Fields) =>
      callApi(client, operation, partsOf(operation, { ...fields, ...more }));
    if (!isPaged(operation)) return await call({});
    return await readPages(rows, call);
  });
  show(context.output, { columns: operation.columns, ...row }, answer, fields);
  const { approval_id: approval, state } = Object(Object(answer).approval ?? answer);
  const isWaiting = approval !== undefined && state === 'waiting' && operation.method !== 'GET';
  const note = isWaiting ? sayWaiting(approval) : row.notes?.(Object(answer), fields);
  if (note !== undefined) context.output.note(note);
  return EXIT.fine;
}

const texts = (values: Fields) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));

/** The command of the second person. */
export const sayWaiting = (approval: unknown) =>
  `It waits for a second person: another risk officer sends bin/risk approvals confirm ${approval}`;

/** The parts of the request that the fields belong to. */
function partsOf({ fields }: Operation, values: Fields): Call {
  const part = (where: Field['in']) =>
    Object.fromEntries(
      Object.entries(values).filter(
        ([name, value]) => fields.get(name)?.in === where && value !== undefined,
      ),
    );
  const hasBody = [...fields.values()].some((field) => field.in === 'body');
  return {
    path: part('path'),
    query: part('query'),
    headers: texts(part('header')),
    ...(hasBody && { body: part('body') }),
  };
}

/** Rows of pages, until enough are read or no page is left. */
async function readPages(
  rowsMax: number,
  call: (page: Fields) => Promise<unknown>,
): Promise<Fields[]> {
  const rows: Fields[] = [];
  let cursor: unknown;
  do {
    const limit = Math.min(PAGE_ROWS_MAX, rowsMax - rows.length);
    const { items, next_cursor } = Object(await call({ cursor, limit }));
    if (!Array.isArray(items)) throw notTheContract();
    rows.push(...items);
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < rowsMax);
  return rows;
}

async function readArguments(row: Row, operation: Operation, args: string[]) {
  const options = optionsOf(row, operation);
  const flags = Object.entries(row.flags ?? {});
  const ownFlags = ['url', ...(isPaged(operation) ? ['limit'] : []), ...Object.keys(row.own ?? {})];
  const words = Object.entries(wordsOf(row, operation));
  const { values, positionals } = parseArguments(
    args,
    Object.fromEntries([
      ...[...options].map(
        ([flag, field]) => [flag, isFlag(field) ? FLAG : textsOf(field)] as const,
      ),
      ...flags.map(([flag]) => [flag, FLAG] as const),
      ...(row.mustBeMeant ? [['yes', FLAG] as const] : []),
      ...ownFlags.map((flag) => [flag, TEXT] as const),
    ]),
    { required: words.map(([name]) => name) },
  );
  const given: Readonly<Record<string, unknown>> = values;
  const chosen = flags.filter(([flag]) => given[flag] === true);
  const fields: Record<string, unknown> = Object.assign(
    {},
    row.fields,
    ...chosen.map(([, flag]) => flag.fields),
  );
  for (const [index, [name, word]] of words.entries()) {
    const text = positionals[index] ?? '';
    if (typeof word === 'function') Object.assign(fields, await word(text));
    else fields[word] = readField(operation.fields.get(word), name, text);
  }
  for (const [flag, field] of options) {
    const value = readField(field, `--${flag}`, given[flag]);
    if (value !== undefined) fields[field.name] = value;
    else if (field.isRequired) fields[field.name] ??= absent(field, flag);
  }
  const meant = row.mustBeMeant?.(fields);
  if (meant !== undefined && given['yes'] !== true)
    throw new UsageError(`${meant}; it needs --yes`);
  const own = Object.fromEntries(ownFlags.map((flag) => [flag, textOf(given[flag])]));
  const bounds = { min: 1, max: LIST_ROWS_MAX };
  return { fields, own, rows: integerOption('--limit', own['limit'], bounds, LIST_ROWS) };
}

const textsOf = ({ isList }: Field) => ({ ...TEXT, multiple: isList });
const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

/** Value that an option or a word gives a field: one text, several, or the presence of a flag. */
function readField(field: Field | undefined, flag: string, given: unknown): unknown {
  if (field === undefined || typeof given === 'boolean') return given;
  if (Array.isArray(given)) return given.map((text) => parseField(field, flag, String(text)));
  return typeof given === 'string' ? parseField(field, flag, given) : undefined;
}

function absent({ isNullable }: Field, flag: string): null {
  if (isNullable) return null;
  throw new UsageError(`--${flag} is missing`);
}

function show(output: Output, row: Row, answer: unknown, fields: Fields): void {
  const { columns = [], shows, says = 'done', isFile = false } = row;
  const tell = output.json || row.tell === undefined ? (fields: Fields) => fields : row.tell;
  if (answer === undefined) {
    output.value(fields, [says]);
    return;
  }
  const shown: unknown = shows === undefined ? answer : Object(answer)[shows];
  const list = listOf(shown);
  if (shown === null) output.value(answer, [says]);
  else if (isFile) output.value(shown, [JSON.stringify(shown, null, 2)]);
  else if (list !== undefined) output.table(columns, list.map(tell));
  else output.record(tell({ ...Object(shown) }));
}

/** The rows of an answer that is a list and nothing else. */
function listOf(answer: unknown): Fields[] | undefined {
  if (Array.isArray(answer)) return answer;
  const { items, next_cursor: _, ...others } = Object(answer);
  return Array.isArray(items) && Object.keys(others).length === 0 ? items : undefined;
}
