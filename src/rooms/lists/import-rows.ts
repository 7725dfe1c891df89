/** Reads the rows of an import whole before any is stored: a wrong line, wherever it stands, refuses all. */
import { Readable } from 'node:stream';
import { idDamage, zonedTime } from '../../kit/client/cell-values.ts';
import { type Projection, readRows } from '../../kit/client/rows.ts';
import { createPauses } from '../../kit/process/pauses.ts';
import { given, oneOf } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type FieldError, InvalidFields } from '../../kit/words/field-errors.ts';
import { reasonText } from '../../kit/words/plain-text.ts';
import { wireTime } from '../../kit/words/wire-time.ts';
import { isNetwork, type Kind, NO_NETWORK, readValue } from './value.ts';

export const IMPORT_ROWS_MAX = 1_000_000;
/** A process has them in memory until the last line is known to be right. */
const BYTES_MAX = 96 * 1024 * 1024;
/** Text of a file, unpacked: what BYTES_MAX holds, with the names of fields. Larger: a small packed file of blanks is read for longer. */
const TEXT_BYTES_MAX = 192 * 1024 * 1024;
/** Larger: a statement takes longer than half a second. Smaller: a million rows take more round trips. */
const BATCH_ROWS = 5000;
/** Wrong lines that an answer names; the others are counted. */
const ERRORS_MAX = 100;

const IMPORT_FIELDS = ['value', 'reason', 'expires_at'] as const;

/** Rows as Postgres reads them: JSON lists of `{v, r, e}`, the value, its own reason, and the expiry in seconds. */
export type ImportRows = { readonly rows: number; readonly batches: readonly Buffer[] };

type Fields = Readonly<Record<string, unknown>>;
type StoredRow = { readonly v: string; readonly r?: string; readonly e?: number };

const isField = (name: string) => IMPORT_FIELDS.some((field) => field === name);
const unknownField = (name: string) =>
  `is not a field: rows have ${oneOf(IMPORT_FIELDS)}, not ${given(name)}`;

const projection: Projection = {
  csv: (header) => {
    // Data frames write their row numbers into a column without a name.
    const unknown = header.find((name) => name !== '' && !isField(name));
    if (unknown !== undefined || !header.includes('value')) {
      const problem = unknown === undefined ? 'has no column value' : unknownField(unknown);
      throw new Failure('invalid', 'COLUMNS_UNKNOWN', `the header of the CSV ${problem}`);
    }
    return (cells) => {
      const named = header.flatMap((name, nth) =>
        name === '' ? [] : [[name, cells[nth]] as const],
      );
      const { expires_at: expiry, ...fields } = Object.fromEntries(
        named.map(([name, cell]) => [name, cell || undefined]),
      );
      return { ...fields, expires_at: zonedTime(expiry) };
    };
  },
  json: (source) => ({ ...source }),
};

const isId = (kind: Kind) => kind === 'account' || kind === 'merchant' || kind === 'device';

type Wrong = { readonly field: string; readonly problem: string };
const wrongField = (field: string, problem = 'must be a text'): Wrong => ({ field, problem });

/** The row, or the field that is wrong and what is allowed there. */
function readRow(
  { kind, tokensOf, nowMs, idsAsTheyAre = false }: Omit<Reading, 'pause'>,
  fields: Fields,
): StoredRow | Wrong {
  const unknown = Object.keys(fields).find((name) => !isField(name));
  if (unknown !== undefined) return wrongField(unknown, unknownField(unknown));
  const { value, reason, expires_at: expiry } = fields;
  if (typeof value !== 'string') return wrongField('value', `must be a text, not ${given(value)}`);
  const read = readValue(kind, value);
  if ('problem' in read) return wrongField('value', read.problem);
  if (tokensOf !== undefined && isNetwork(kind, value)) return wrongField('value', NO_NETWORK);
  const damage = idsAsTheyAre || !isId(kind) ? undefined : idDamage(value);
  if (damage !== undefined) return wrongField('value', damage);
  const row: { v: string; r?: string; e?: number } = { v: read.value };
  if (reason !== undefined) {
    const checked = reasonText.safeParse(reason);
    if (!checked.success) return wrongField('reason', checked.error.issues[0]?.message);
    row.r = checked.data;
  }
  if (expiry !== undefined) {
    const checked = wireTime.safeParse(expiry);
    if (!checked.success) return wrongField('expires_at', checked.error.issues[0]?.message);
    row.e = Date.parse(checked.data) / 1000;
    if (row.e * 1000 <= nowMs)
      return wrongField('expires_at', `must lie in the future, not ${given(expiry)}`);
  }
  return row;
}

export type Reading = {
  readonly isJson: boolean;
  readonly kind: Kind;
  /** Ids that look damaged are meant so. */
  readonly idsAsTheyAre?: boolean;
  /** Translates values to those of the list; absent where values stay as they are. */
  readonly tokensOf?: ((values: readonly string[]) => Promise<readonly string[]>) | undefined;
  readonly nowMs: number;
  /** Called after each slice. */
  readonly pause: () => Promise<void>;
};

/** @throws InvalidFields that names the first wrong lines */
export async function readImport(text: Readable, reading: Reading): Promise<ImportRows> {
  const { isJson, tokensOf } = reading;
  const giveWay = createPauses(reading.pause);
  const errors: FieldError[] = [];
  const batches: Buffer[] = [];
  let [rows, wrong, bytes] = [0, 0, 0];
  let batch: StoredRow[] = [];
  const refuse = (pointer: string, detail: string) => {
    if (wrong++ < ERRORS_MAX) errors.push({ pointer, detail });
  };
  const close = async () => {
    // Once a line is refused, the file makes no more tokens.
    const values = wrong === 0 ? await tokensOf?.(batch.map(({ v }) => v)) : undefined;
    const stored = batch.map((row, nth) =>
      values === undefined ? row : { ...row, v: values[nth] },
    );
    const json = Buffer.from(JSON.stringify(stored));
    batch = [];
    bytes += json.length;
    if (bytes > BYTES_MAX) throw tooMuch(`${BYTES_MAX} bytes`);
    // Rows of a file that is refused need no memory.
    if (wrong === 0) batches.push(json);
  };
  const bounded = Readable.from(boundedText(text), { objectMode: false });
  for await (const row of readRows(bounded, isJson, projection)) {
    if (++rows > IMPORT_ROWS_MAX) throw tooMuch(`${IMPORT_ROWS_MAX} rows`);
    const read = 'body' in row ? readRow(reading, row.body) : undefined;
    await giveWay();
    if (read === undefined) refuse(`/lines/${row.line}`, 'detail' in row ? row.detail : '');
    else if ('field' in read) refuse(`/lines/${row.line}/${read.field}`, read.problem);
    else batch.push(read);
    if (batch.length >= BATCH_ROWS) await close();
  }
  if (wrong > 0) {
    const lines = wrong === 1 ? 'line is' : 'lines are';
    throw new InvalidFields(errors, `${wrong} ${lines} wrong, and nothing was imported.`);
  }
  if (rows === 0) throw new Failure('invalid', 'IMPORT_EMPTY', 'the import has no rows');
  await close();
  return { rows, batches };
}

async function* boundedText(text: Readable): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const piece of text) {
    bytes += piece.length;
    if (bytes > TEXT_BYTES_MAX) throw tooMuch(`${TEXT_BYTES_MAX} bytes of text`);
    yield piece;
  }
}

const tooMuch = (bound: string) =>
  new Failure('invalid', 'IMPORT_TOO_LARGE', `an import has at most ${bound}: send it in parts`);
