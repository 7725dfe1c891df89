/**
 * Goal: slices of an export join without a gap and without an overlap, wherever they end. Method: rows that share moments on real
 * Postgres, with slices of a few rows, compared with the same search in plain code.
 */
import { expect, test } from 'vitest';
import { listWalkedMonths } from '../../../../src/core/store/partitions/month-slice.ts';
import { rangesOf, toFilter } from '../../../../src/core/store/search/to-filter.ts';
import { exportParameters } from '../../../../src/rooms/exports/parameters.ts';
import { type ExportSlice, readExportSlice } from '../../../../src/rooms/exports/read-rows.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { NOVEMBER } from '../../../support/reads.ts';
import { expectedIds, storeSearched, tiedSeedOf } from '../../../support/searched-rows.ts';

const ROWS = 240;
/** Below the number of rows of one moment, so that slices end among them. */
const EXAMINED = 5;
const SEEDS = Array.from({ length: ROWS }, (_, n) => tiedSeedOf(n, ROWS));

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());
await storeSearched(testDatabase, database, SEEDS);

test.each<Record<string, string>>([
  { account_id: 'acc_5' },
  { label: 'legitimate' },
  { client: 'bank' },
  {},
])('an export of %j has each row once, however its slices end', async (asked) => {
  const filter = toFilter(exportParameters.parse(asked), false);
  const { months } = await listWalkedMonths(database, 'transactions');
  for (const order of ['desc', 'asc'] as const) {
    const isDescending = order === 'desc';
    const ids: (string | null | undefined)[] = [];
    for (const { fromMs, toMs } of rangesOf(months, {}, filter, {
      isDescending,
      nowMs: NOVEMBER,
    })) {
      let after: ExportSlice['after'];
      do {
        const { rows, reached } = await readExportSlice(database, {
          ...{ filter, lowerMs: fromMs, upperMs: toMs, isDescending, after, pageRows: EXAMINED },
        });
        ids.push(...rows.map(([id]) => id));
        after = reached ?? undefined;
      } while (after !== undefined);
    }
    expect(ids).toEqual(expectedIds('transactions', { ...asked, order }, SEEDS));
  }
});
