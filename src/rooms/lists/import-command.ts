/** `risk lists import`: sends a file to a running API, or with `--shared` writes a reference list. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  fetchApi,
  notTheContract,
  readAnswer,
  refusal,
  unlessAborted,
} from '../../kit/client/api-client.ts';
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
import { Failure } from '../../kit/words/failure.ts';
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
    const { size } = await stat(path).catch((error: Error) => {
      throw new Failure('not-found', 'FILE_UNREADABLE', error.message);
    });
    const reason = given(values, 'reason');
    const { output } = context;
    let read = 0;
    const text = openText(path, (bytes) => {
      read += bytes;
      output.progress(`read ${Math.floor((100 * read) / Math.max(1, size))}%`);
    });
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

const isJson = (path: string) => /\.(ndjson|jsonl)(\.gz)?$/.test(path);

function openText(path: string, onBytes: (bytes: number) => void): Readable {
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  const file = createReadStream(path);
  // An error of any step destroys the last one, so its reader sees the error.
  const ignore = () => undefined;
  return path.endsWith('.gz')
    ? pipeline(file, counter, createGunzip(), ignore)
    : pipeline(file, counter, ignore);
}

/** `/lines/17/value` as people read it. */
const lineOf = (pointer: string) => {
  const [, line = pointer, field = ''] = /^\/lines\/(\d+)(?:\/(.*))?$/.exec(pointer) ?? [];
  return `line ${line}: ${field}`.trim();
};

type Line = Partial<ImportJson> & {
  readonly stored?: number;
  readonly failed?: string;
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
    headers: { 'content-type': isJson(path) ? LINES : 'text/csv', accept: LINES },
    body: Readable.toWeb(text) as ReadableStream,
    // A streamed body needs `duplex`, which the types of fetch lack.
    ...{ duplex: 'half' },
  });
  if (!response.ok) {
    const answer = await readAnswer(api, response);
    const { errors = [], detail = '' } = (answer.body ?? {}) as {
      errors?: readonly FieldError[];
      detail?: string;
    };
    if (errors.some(({ pointer }) => pointer.startsWith('/lines/'))) {
      throw new InvalidFields(errors, detail);
    }
    throw refusal(answer);
  }
  const done = await lastLine(response, api.url, signal, ({ stored = 0, rows = 0 }) =>
    output.progress(`stored ${stored.toLocaleString('en-US')} of ${rows.toLocaleString('en-US')}`),
  );
  if (done.failed !== undefined) throw new Failure('invalid', 'IMPORT_FAILED', done.failed);
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

async function lastLine(
  response: Response,
  url: string,
  signal: AbortSignal,
  onProgress: (line: Line) => void,
): Promise<Line> {
  let rest = '';
  let last: Line = {};
  const take = (lines: readonly string[]) => {
    for (const line of lines) {
      last = JSON.parse(line);
      if (last.stored !== undefined) onProgress(last);
    }
  };
  try {
    for await (const chunk of response.body ?? []) {
      const parts = `${rest}${Buffer.from(chunk).toString()}`.split('\n');
      rest = parts.pop() ?? '';
      take(parts);
    }
  } catch (error) {
    unlessAborted(url, signal)(error);
  }
  return last;
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
  const done = await importReference(database, text, isJson(path), reference);
  const { rows, added, ended } = done;
  output.value({ list: name, ...done }, [`imported rows=${rows} added=${added} ended=${ended}`]);
  return EXIT.fine;
}
