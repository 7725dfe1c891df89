/** `risk lists import`: sends a file to a running API, or with `--shared` writes a reference list. */
import { Readable } from 'node:stream';
import { fetchApi, notTheContract, readAnswer, refusal } from '../../kit/client/api-client.ts';
import { isJsonName, openText } from '../../kit/client/rows.ts';
import { apiOf } from '../../kit/command/api.ts';
import {
  type CommandContext,
  EXIT,
  parseArguments,
  UsageError,
  unlessStopped,
  wordOption,
} from '../../kit/command/command.ts';
import { ownerUrl } from '../../kit/command/stores.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { type FieldError, InvalidFields } from '../../kit/words/field-error.ts';
import { EFFECTS, type ImportJson, isShared, listName } from './list.ts';
import { importReference } from './reference.ts';
import { KINDS } from './value.ts';

/** A statement about a million rows takes longer than those of an API. */
const SHARED_STATEMENT_MS = 600_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const LINES = 'application/x-ndjson';

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  reason: TEXT,
  url: TEXT,
  effect: TEXT,
  kind: TEXT,
  source: TEXT,
  date: TEXT,
  shared: { type: 'boolean' },
} as const;
type Values = {
  readonly [Name in Exclude<keyof typeof OPTIONS, 'shared'>]?: string | undefined;
} & {
  readonly shared?: boolean | undefined;
};

export const importAction = {
  words: 'NAME FILE',
  summary: 'Add the values of a file, all or nothing',
  asksApi: true,
  options: {
    '--reason TEXT': 'For colleagues and the audit log; needed',
    '--shared': 'Write a reference list, with the options below; without it they are not taken',
    '--effect TEXT': `One of ${EFFECTS.join(', ')}`,
    '--kind TEXT': `One of ${KINDS.join(', ')}`,
    '--source TEXT': 'Who publishes the list',
    '--date DAY': 'As of when the source says so',
  },
  async run(args: string[], context: CommandContext): Promise<number> {
    const { values, positionals } = parseArguments(args, OPTIONS, { required: ['NAME', 'FILE'] });
    const [name = '', path = ''] = positionals;
    const reason = given(values, 'reason');
    const { output } = context;
    const text = (await openText(path)).read();
    try {
      if (values.shared === true)
        return await writeShared(name, text, path, reason, values, context);
      const sending = send(name, text, path, reason, values, context);
      const done = await unlessStopped(context, 'nothing was imported', sending);
      return done ?? EXIT.failed;
    } catch (error) {
      if (!(error instanceof InvalidFields)) throw error;
      for (const { pointer, detail } of error.errors) output.error(`${lineOf(pointer)} ${detail}`);
      output.error(error.message);
      return EXIT.failed;
    }
  },
};

function given(values: Values, name: Exclude<keyof Values, 'shared'>): string {
  const value = values[name];
  if (value === undefined) throw new UsageError(`--${name} is missing`);
  return value;
}

/** `/lines/17/value` as people read it. */
const lineOf = (pointer: string) => {
  const [, line = pointer, field = ''] = /^\/lines\/(\d+)(?:\/(.*))?$/.exec(pointer) ?? [];
  return `line ${line}: ${field}`.trim();
};

async function send(
  name: string,
  text: Readable,
  path: string,
  reason: string,
  values: Values,
  { config, signal, output }: CommandContext,
): Promise<number> {
  const api = { ...apiOf(values.url, { config, output }), signal };
  const target = `/v1/lists/${encodeURIComponent(name)}/imports?${new URLSearchParams({ reason })}`;
  const response = await fetchApi(api, target, {
    method: 'POST',
    headers: { 'content-type': isJsonName(path) ? LINES : 'text/csv' },
    body: Readable.toWeb(text) as ReadableStream,
    // A streamed body needs `duplex`, which the types of fetch lack.
    ...{ duplex: 'half' },
  });
  const answer = await readAnswer(api, response);
  const { errors = [], detail = '' } = (answer.body ?? {}) as {
    errors?: readonly FieldError[];
    detail?: string;
  };
  if (errors.some(({ pointer }) => pointer.startsWith('/lines/')))
    throw new InvalidFields(errors, detail);
  if (!response.ok) throw refusal(answer);
  const done = answer.body as Partial<ImportJson>;
  const { import_id: id, rows, added, state } = done;
  if (id === undefined) throw notTheContract();
  output.value(done, [`imported import_id=${id} rows=${rows} added=${added} state=${state}`]);
  if (state === 'proposed') {
    output.note(
      `The import waits for a second person: another risk_officer sends bin/risk lists approve-import ${name} ${id}`,
    );
  }
  return EXIT.fine;
}

async function writeShared(
  name: string,
  text: Readable,
  path: string,
  reason: string,
  values: Values,
  { config, output }: CommandContext,
): Promise<number> {
  if (!isShared(name) || !listName.safeParse(name).success) {
    throw new UsageError(`NAME must begin with shared-, not '${name}'`);
  }
  const sourceDate = given(values, 'date');
  if (!DATE.test(sourceDate)) throw new UsageError(`--date must be a day, not '${sourceDate}'`);
  const reference = {
    name,
    reason,
    source: given(values, 'source'),
    sourceDate,
    effect: wordOption('--effect', given(values, 'effect'), EFFECTS),
    kind: wordOption('--kind', given(values, 'kind'), KINDS),
  };
  await using database = openDatabase(config, ownerUrl(config), 'lists', {
    connectionsMax: 1,
    statementTimeoutMs: SHARED_STATEMENT_MS,
  });
  const done = await importReference(database, text, isJsonName(path), reference);
  const { rows, added, ended } = done;
  output.value({ list: name, ...done }, [`imported rows=${rows} added=${added} ended=${ended}`]);
  return EXIT.fine;
}
