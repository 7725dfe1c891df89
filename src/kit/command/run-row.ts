/** A row of a command: reads its words and options, calls its operation and prints the answer. */
import { type Call, callApi, notTheContract } from '../client/api-client.ts';
import { singular } from '../http/examples.ts';
import { withApi } from './api.ts';
import { type CommandContext, EXIT, UsageError } from './command.ts';
import {
  type CalledOperation,
  describeField,
  type Field,
  parseField,
  valueWord,
} from './operation.ts';
import { type Options, readArguments, URL_OPTION, whole } from './options.ts';
import type { Column, Row as Fields, Output } from './output.ts';

export type Row = {
  /** `operationId` in the document. */
  readonly operation: string;
  /** In place of the operation's own summary. */
  readonly summary?: string;
  /** Words behind those of the path: each names a field, or reads fields from a file. */
  readonly words?: Readonly<Record<string, string | ((text: string) => Promise<Fields>)>>;
  /** Fields whose option has another name, by that name; false: the action takes no options. */
  readonly options?: Readonly<Record<string, string>> | false;
  /** Fields that are sent unless an option gives them. */
  readonly fields?: Fields;
  /** Flags that give fields; a field that is undefined is not sent. */
  readonly flags?: Readonly<Record<string, { readonly summary: string; readonly fields: Fields }>>;
  /** Says what the action does where `--yes` is needed, and is undefined where it is not. */
  readonly mustBeMeant?: (fields: Fields) => string | undefined;
  /** Makes of a row of a list, or of another answer, what people read; `--json` prints the row as it is. */
  readonly tell?: (row: Fields) => Fields;
  /** Columns of the table of a list; absent: the plain members of its rows, without those that the table hides. */
  readonly columns?: readonly (string | Column)[];
  readonly hides?: readonly string[];
  /** The member of the answer that is printed, in place of all of it. */
  readonly shows?: string;
  /** Printed where the answer is empty. */
  readonly says?: string;
  /** Text on standard error that a person needs besides the members of the answer, such as the next command. */
  readonly notes?: (answer: Fields, request: Fields) => string | undefined;
  /** True: the answer is JSON for people, too, because another action takes it as a file. */
  readonly isFile?: boolean;
  /** Does something else with the call than to send it and print the answer. */
  carryOut?(
    call: Call,
    own: Readonly<Record<string, unknown>>,
    context: CommandContext,
  ): Promise<number>;
  /** Options of `carryOut` that are no fields. */
  readonly own?: Options;
};

/** Most rows of a list: they are in memory until they are printed. */
const LIST_ROWS_MAX = 100_000;
const LIST_ROWS = 50;
/** Most rows of one page of the API. */
const PAGE_ROWS_MAX = 200;

const YES = { '--yes': 'It is meant' } as const;
const LIMIT = { '--limit N': whole('Rows', { min: 1, max: LIST_ROWS_MAX }, LIST_ROWS) } as const;

const isPaged = ({ fields }: CalledOperation) => fields.has('cursor');
const flagOf = (name: string) => name.toLowerCase().replaceAll('_', '-');

/** Words of the action: RULE_SET is the `id` of `/v1/rule-sets/{id}`. */
function wordsOf({ words }: Row, { path }: CalledOperation): NonNullable<Row['words']> {
  const segments = path.split('/');
  const named = segments.flatMap((segment, at) => {
    const [, name] = /^\{(\w+)\}$/.exec(segment) ?? [];
    if (name === undefined) return [];
    const word = name === 'id' ? singular(segments[at - 1] ?? '') : name.replace(/_id$/, '');
    return [[word.replaceAll('-', '_').toUpperCase(), name]];
  });
  return { ...Object.fromEntries(named), ...words };
}

/** Fields that are options, by the name of the option. @throws Error for a row that the document does not fit */
function optionsOf(row: Row, operation: CalledOperation): ReadonlyMap<string, Field> {
  const { fields, path } = operation;
  const given = wordsOf(row, operation);
  const named = new Map(Object.entries(row.options || {}).map(([flag, name]) => [name, flag]));
  const words = Object.values(given).filter((word) => typeof word === 'string');
  const fixed = [...words, ...Object.keys(row.fields ?? {})];
  const absent = [...named.keys(), ...fixed].find((name) => !fields.has(name));
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
    offered.map((field) => [named.get(field.name) ?? flagOf(field.name), field] as const),
  );
}

/** Every option of a row, with what the usage says of it. */
const shownOptions = (row: Row, operation: CalledOperation): Options => ({
  ...row.own,
  ...Object.fromEntries([
    ...[...optionsOf(row, operation)].map(([flag, field]) => [
      `--${flag}${valueWord(field)}`,
      {
        says: describeField(field, row.fields?.[field.name]),
        read: (flag: string, text: string | undefined, texts: readonly string[]) =>
          field.isList && text !== undefined
            ? texts.map((each) => parseField(field, flag, each))
            : text && parseField(field, flag, text),
      },
    ]),
    ...Object.entries(row.flags ?? {}).map(([flag, { summary }]) => [`--${flag}`, summary]),
  ]),
  ...(row.mustBeMeant && YES),
  ...(isPaged(operation) && LIMIT),
  ...URL_OPTION,
});

/** Text of the usage about a row. */
export const describeRow = (row: Row, operation: CalledOperation) => ({
  words: Object.keys(wordsOf(row, operation)).join(' '),
  summary: row.summary ?? operation.summary,
  options: shownOptions(row, operation),
});

export async function runRow(
  row: Row,
  operation: CalledOperation,
  args: string[],
  context: CommandContext,
): Promise<number> {
  const { fields, values } = await readRow(row, operation, args);
  if (row.carryOut !== undefined) {
    return await row.carryOut(partsOf(operation, fields), values, context);
  }
  const { url, limit } = values as { readonly url?: string; readonly limit?: number };
  const answer = await withApi(context, url, async (client) => {
    const call = (more: Fields) =>
      callApi(client, operation, partsOf(operation, { ...fields, ...more }));
    if (!isPaged(operation)) return await call({});
    return await readPages(limit ?? LIST_ROWS, async (page) => Object(await call(page)));
  });
  const columns = operation.columns.filter((column) => row.hides?.includes(column) !== true);
  show(context.output, { columns, ...row }, answer, fields);
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
function partsOf({ fields }: CalledOperation, values: Fields): Call {
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

type Page<Found> = { readonly items: readonly Found[]; readonly next_cursor: string | null };

/** Rows of pages, until enough are read or no page is left. */
export async function readPages<Found>(
  rowsMax: number,
  ask: (page: {
    readonly cursor: string | undefined;
    readonly limit: number;
  }) => Promise<Page<Found>>,
): Promise<Found[]> {
  const rows: Found[] = [];
  let cursor: string | undefined;
  do {
    const limit = Math.min(PAGE_ROWS_MAX, rowsMax - rows.length);
    const { items, next_cursor } = await ask({ cursor, limit });
    if (!Array.isArray(items)) throw notTheContract();
    rows.push(...items);
    cursor = next_cursor ?? undefined;
  } while (cursor !== undefined && rows.length < rowsMax);
  return rows;
}

async function readRow(row: Row, operation: CalledOperation, args: string[]) {
  const words = Object.entries(wordsOf(row, operation));
  const given = readArguments(args, shownOptions(row, operation), {
    required: words.map(([name]) => name),
  });
  const values: Readonly<Record<string, unknown>> = given.values;
  const chosen = Object.entries(row.flags ?? {}).filter(([flag]) => values[flag]);
  const fields: Record<string, unknown> = Object.assign(
    {},
    row.fields,
    ...chosen.map(([, flag]) => flag.fields),
  );
  for (const [index, [name, word]] of words.entries()) {
    const text = given.words[index] ?? '';
    const field = typeof word === 'string' ? operation.fields.get(word) : undefined;
    if (typeof word === 'function') Object.assign(fields, await word(text));
    else if (field !== undefined) fields[word] = parseField(field, name, text);
  }
  for (const [flag, field] of optionsOf(row, operation)) {
    const value = values[flag];
    // A flag that is not given leaves its field to the API.
    if (value !== undefined && value !== false) fields[field.name] = value;
    else if (field.isRequired) fields[field.name] ??= absent(field, flag);
  }
  const meant = row.mustBeMeant?.(fields);
  if (meant !== undefined && values['yes'] !== true)
    throw new UsageError(`${meant}; it needs --yes`);
  return { fields, values };
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
