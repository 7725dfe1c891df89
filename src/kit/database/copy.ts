/**
 * COPY of rows as texts, on the connection of a transaction. A restore of 150,000 payments took 11 and 14 s by COPY, and 24 and 27 s by
 * statements that also hashed the rows. Imports insert arrays: COPY to a temporary table took 0.94, 1.00 and 1.08 times the processor time
 * for 100,000 list entries, rates and labels. Backtests select vectors: COPY, which writes vectors as texts, took 1.15 times.
 */
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

/** The columns of a row in their order. */
export type Texts = readonly (string | null)[];

export type Copy = {
  /**
   * Reads the rows of `copy (select …) to stdout`, some at a time. A caller that stops early ends the session, as the server
   * would send all rows. @throws Failure
   */
  readonly out: (text: string) => AsyncGenerator<readonly Texts[]>;
  /**
   * Passes each line of `copy (select …) to stdout` to `take`, which must not retain the line. Literals replace `$1` and so on, as
   * COPY takes no values. Nothing slows the server, so the statement must bound the lines. @throws Failure
   */
  readonly lines: (
    text: string,
    values: readonly unknown[],
    take: (line: Buffer) => void,
  ) => Promise<void>;
  /** Writes rows by `copy market.t (…) from stdin`. @throws Failure */
  readonly into: (text: string, rows: AsyncIterable<readonly Texts[]>) => Promise<void>;
};

/** Characters of a message to the server. Larger: more memory; smaller: more messages. */
const MESSAGE_CHARS = 64 * 1024;

/**
 * @param textOf resolves the tables of a market
 * @param failureOf turns an error of the driver into a Failure
 */
export function createCopy(
  client: pg.PoolClient,
  textOf: (text: string) => string,
  failureOf: (error: unknown) => Error,
): Copy {
  return {
    async *out(text) {
      const stream = client.query(copyTo(textOf(text)));
      const decoder = new StringDecoder('utf8');
      let rest = '';
      let isOver = false;
      try {
        for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
          const lines = (rest + decoder.write(chunk)).split('\n');
          rest = lines.pop() ?? '';
          if (lines.length > 0) yield lines.map(fromLine);
        }
        isOver = true;
      } catch (error) {
        isOver = true;
        throw failureOf(error);
      } finally {
        // The server would send the rest of the table, and nobody would hear of the reader's failure meanwhile.
        if (!isOver && client instanceof pg.Client) client.connection.stream.destroy();
        stream.resume();
        await finished(stream).catch(() => undefined);
        // The driver begins a timeout of the query, which pg-copy-streams 7.0.0 does not end: the callback does.
        (stream as { callback?: () => void }).callback?.();
      }
    },
    async lines(text, values, take) {
      const whole = textOf(text).replace(/\$(\d+)/g, (_, nth) => literalOf(values[nth - 1]));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const query = {
        callback: (error?: unknown) => (error ? reject(failureOf(error)) : resolve()),
        submit: (connection: pg.Connection) => connection.query(whole),
        handleCopyData: ({ chunk }: { chunk: Buffer }) => take(chunk),
        handleCommandComplete: () => undefined,
        handleError: (error: unknown) => query.callback(error),
        handleReadyForQuery: () => query.callback(),
      };
      client.query(query);
      await promise;
    },
    async into(text, rows) {
      const messages = Readable.from(messagesOf(rows));
      await pipeline(messages, client.query(copyFrom(textOf(text)))).catch((error: unknown) => {
        throw failureOf(error);
      });
    },
  };
}

/** A literal without a type, which Postgres reads as the type that the statement expects. */
const literalOf = (value: unknown): string =>
  Array.isArray(value)
    ? `array[${value.map(literalOf).join(', ')}]`
    : pg.escapeLiteral(String(value));

async function* messagesOf(rows: AsyncIterable<readonly Texts[]>): AsyncGenerator<Buffer> {
  let text = '';
  for await (const some of rows)
    for (const row of some) {
      text += toLine(row);
      if (text.length < MESSAGE_CHARS) continue;
      yield Buffer.from(text);
      text = '';
    }
  if (text !== '') yield Buffer.from(text);
}

const NULL = '\\N';
const SPECIAL = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

export function toLine(row: Texts): string {
  let line = '';
  for (const [at, cell] of row.entries()) {
    if (at > 0) line += '\t';
    if (cell === null) line += NULL;
    else
      line += SPECIAL.test(cell) ? cell.replace(SPECIAL, (found) => ESCAPES[found] ?? found) : cell;
  }
  return `${line}\n`;
}

/** Escapes that the server writes: `\b`, `\f`, `\n`, `\r`, `\t`, `\v`, and `\\`. */
const ESCAPED = /\\(.)/g;
const UNESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

export function fromLine(line: string): Texts {
  const cells = line.split('\t');
  if (!line.includes('\\')) return cells;
  return cells.map((cell) =>
    cell === NULL
      ? null
      : cell.includes('\\')
        ? cell.replace(ESCAPED, (_, letter: string) => UNESCAPES[letter] ?? letter)
        : cell,
  );
}
