/** `risk rates`: imports exchange rates by day, straight into the database. */
import { openSource, type Row } from '../../../kit/client/rows.ts';
import { commandOf, written } from '../../../kit/command/rows.ts';
import { byCommand, openCommandDatabase } from '../../../kit/command/stores.ts';
import { DESCRIBED, issueText } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type ExchangeRate, exchangeRateSchema } from '../exchange-rate.ts';
import { importRates } from '../store/rates.ts';

/** Thirty years of 40 currencies: they are stored at once or not at all. */
const RATES_MAX = 500_000;
const FIELDS = ['day', 'currency', 'usd'] as const;

const IMPORTS = 'Store the rates of a file, or none where one is invalid';
const importAction = written('FILE', IMPORTS, {}, async ({ words: [path = ''] }, context) => {
  const rates = await readRates(path);
  await using database = openCommandDatabase(context, 'rates');
  const counts = await importRates(database, rates, byCommand('rates import'));
  const { added, changed, unchanged } = counts;
  context.output.value({ added, changed, unchanged }, [
    `rates added=${added} changed=${changed} unchanged=${unchanged}`,
  ]);
});

export const command = commandOf({
  name: 'rates',
  summary: 'Imports exchange rates by day.',
  needs: ['DATABASE_URL'],
  notes: `FILE is CSV or NDJSON, .gz too, with the columns day (UTC, 2026-11-20), currency (EUR) and usd: what one unit was worth in
US dollars that day. The same day and currency again is corrected. Review compares amounts in the currency of its policy, by the
rates of the transaction's day, or of the newest day before it. Needs DATABASE_URL.

Example: risk rates import rates.csv`,
  actions: { import: importAction },
});

/** @throws Failure that names the first invalid line */
async function readRates(path: string): Promise<ExchangeRate[]> {
  const source = await openSource(path, { csv: csvReader, json: (row) => ({ ...row }) });
  const rates = new Map<string, ExchangeRate>();
  for await (const row of source.rows()) {
    if (!('body' in row)) refuse(row.line, row.detail);
    const rate = readRate(row);
    rates.set(`${rate.currency} ${rate.day}`, rate);
    if (rates.size > RATES_MAX) refuse(RATES_MAX + 1, `a file has at most ${RATES_MAX} rates`);
  }
  return [...rates.values()];
}

function csvReader(header: readonly string[]) {
  const missing = FIELDS.filter((field) => !header.includes(field));
  if (missing.length > 0) {
    throw new Failure('invalid', 'COLUMN_MISSING', `the file has no column ${missing.join(', ')}`);
  }
  return (cells: readonly string[]) =>
    Object.fromEntries(FIELDS.map((field) => [field, cells[header.indexOf(field)] ?? '']));
}

function readRate({ line, body }: Row): ExchangeRate {
  const parsed = exchangeRateSchema.safeParse(body, DESCRIBED);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuse(line, `${issue?.path.join('.') ?? ''} ${issue ? issueText(issue) : 'is invalid'}`);
}

function refuse(line: number, why: string): never {
  throw new Failure('invalid', 'RATE_INVALID', `line ${line}: ${why}; nothing was imported`);
}
