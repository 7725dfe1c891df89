/**
 * Goal: the times of a Parquet file are instants to readers that the project did not write. Method: an export of stored rows, read by
 * DuckDB and by polars in sessions in Tokyo. What cannot be installed is skipped.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeBody } from '../../src/rooms/exports/exports.ts';
import { exportParameters } from '../../src/rooms/exports/parameters.ts';
import { prepareExport } from '../../src/rooms/exports/read-rows.ts';
import { createTestDatabase } from '../support/database.ts';
import { alone, NOVEMBER } from '../support/reads.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { here } from './here.ts';
import { openPython } from './python.ts';

const INSTALL_TEST_MS = 900_000;
const PACKAGES = 'duckdb==2.0.1 polars==2.1.0 polars-runtime-32==2.1.0';
const TIMES = ['created_at', 'received_at', 'scored_at'];
/** Within an hour that summer time repeats in New York, at a midnight in Tokyo, and a millisecond before a year ends. */
const MOMENTS = [
  Date.UTC(2026, 10, 1, 5, 30),
  Date.UTC(2026, 9, 31, 15),
  Date.UTC(2025, 11, 31, 23, 59, 59, 999),
  NOVEMBER,
];

type Read = { readonly types: Record<string, string>; readonly rows: (number | null)[][] };

test('DuckDB and polars in Tokyo read the instants of an export', {
  timeout: INSTALL_TEST_MS,
}, async (context) => {
  const run = await here(context, openPython('readers', PACKAGES));
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  await storeTransactions(
    database,
    MOMENTS.map((createdAtMs, nth) => ({
      ...{ createdAtMs, receivedAtMs: createdAtMs + 250 },
      ...(nth === 0 ? {} : { score: 100 * nth, reasons: ['NEW_MERCHANT'] }),
    })),
  );
  const asked = exportParameters.parse({ format: 'parquet', order: 'asc' });
  const read = await prepareExport(alone(database), asked);
  const body = writeBody(read, asked, new AbortController().signal);
  const bytes = Buffer.concat(await Array.fromAsync(body, (piece) => piece.bytes.slice()));
  const folder = mkdtempSync(join(tmpdir(), 'risk-times-'));
  try {
    const path = join(folder, 'times.parquet');
    writeFileSync(path, bytes);
    const { duckdb, polars }: Record<string, Read> = JSON.parse(
      await run('times.py', path, ...TIMES),
    );
    const micros = (ms: number) => 1000 * ms;
    const expected = MOMENTS.toSorted((a, b) => a - b).map((ms) => [
      micros(ms),
      micros(ms + 250),
      ms === MOMENTS[0] ? null : micros(ms + 300),
    ]);
    expect(duckdb?.rows).toEqual(expected);
    expect(polars?.rows).toEqual(expected);
    for (const name of TIMES) {
      expect(duckdb?.types[name]).toBe('TIMESTAMP WITH TIME ZONE');
      expect(polars?.types[name]).toMatch(/^Datetime\(.*time_zone='UTC'\)$/);
    }
    expect(duckdb?.types['reason_codes']).toBe('VARCHAR[]');
    expect(polars?.types['reason_codes']).toBe('List(String)');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
