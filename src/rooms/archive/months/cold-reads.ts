/**
 * Reads single transactions of cold months. The id has the month, and the manifest names the file whose range of ids has the id;
 * the file's hash is checked before a row group is parsed.
 */
import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import type { Api } from '../../../core/room.ts';
import type { ColdMonths } from '../../../core/store/cold-rows/cold-rows.ts';
import { partitionName } from '../../../core/store/partitions/partitions.ts';
import { answerWithin } from '../../../kit/process/settles-within.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { MONTH_UNREACHABLE, type Month, monthOf, monthText } from '../../../kit/words/month.ts';
import { readPartBytes } from '../export-table.ts';
import { openFileStore } from '../file-stores/open-file-store.ts';
import { type Cells, findRows, readKey } from '../part-file.ts';
import { storedOf } from './manifest.ts';
import { type ColdPart, findColdPart } from './store.ts';

/** Reads at a time. Larger: more memory, as each read has a file of some megabytes; smaller: more reads wait. */
const READS_MAX = 4;
/** Waiting reads; the API refuses more. Larger: waits beyond the deadline of a request; smaller: more refusals. */
const WAITING_MAX = 32;
/** Deadline of a read. Larger: beyond the 10 s of a request; smaller: a slow store is refused. */
const READ_MS_MAX = 5000;
/** Bytes of files in memory, as people look at several transactions of a day. Larger: more memory; smaller: more reads. */
const CACHE_BYTES = 16 * 1024 * 1024;

export async function openColdReads({
  config,
  databases: { primary },
}: Pick<Api, 'config' | 'databases'>): Promise<ColdMonths> {
  const limit = pLimit(READS_MAX);
  const cache = new LRUCache<string, Buffer>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ length }) => Math.max(length, 1),
  });
  const { RISK_ARCHIVE_KEY_FILE: keyFile, RISK_MARKET: market } = config;

  async function readFile(month: string, cold: ColdPart, part: ColdPart['parts'][number]) {
    const known = cache.get(part.sha256);
    if (known !== undefined) return known;
    const key = cold.encryption === 'none' ? null : await readKey(requireKeyFile(keyFile));
    const of = { market, month, number: cold.number };
    const bytes = await readPartBytes(
      storedOf(of, openFileStore(cold.location, config), key),
      part,
    );
    cache.set(part.sha256, bytes);
    return bytes;
  }

  async function readRows(month: string, cold: ColdPart, id: string): Promise<Cells[]> {
    const rows: Cells[] = [];
    for (const part of cold.parts)
      rows.push(...(await findRows(await readFile(month, cold, part), id)));
    return rows;
  }

  return {
    read: async (table, id) => {
      const createdAtMs = createdAtMsOf(id);
      if (createdAtMs === undefined) return undefined;
      const month = monthOf(createdAtMs);
      const cold = await findColdPart(
        primary.query,
        monthText(month),
        partitionName(table, month),
        id,
      );
      if (cold === undefined) return undefined;
      if (limit.pendingCount >= WAITING_MAX)
        throw unread(month, 'too many reads of cold months wait');
      const reading = limit(() => readRows(monthText(month), cold, id));
      const rows = await answerWithin(reading, READ_MS_MAX).catch((error: unknown) => {
        throw unread(month, toError(error).message);
      });
      return { month: monthText(month), rows: rows.length, json: toJson(cold.columns ?? [], rows) };
    },
  };
}

function requireKeyFile(path: string | undefined): string {
  if (path !== undefined) return path;
  throw new Failure(
    'invalid',
    'KEY_MISSING',
    'its files are encrypted, and RISK_ARCHIVE_KEY_FILE is not set',
  );
}

/** Tells the client the month, and the log the reason. */
const unread = (month: Month, why: string): Failure =>
  new Failure(
    'unavailable',
    MONTH_UNREACHABLE,
    `${monthText(month)}, the month of this transaction, is cold, and its files cannot be read for now`,
    { cause: new Error(why) },
  );

const JSON_TYPES = ['json', 'jsonb'];

/** Writes rows as JSON objects: a cell of JSON as it is, any other cell as a string. */
function toJson(columns: NonNullable<ColdPart['columns']>, rows: readonly Cells[]): string {
  const members = (row: Cells) =>
    columns.map(({ name, type }, at) => {
      const cell = row[at] ?? null;
      const isJson = cell !== null && JSON_TYPES.includes(type);
      return `${JSON.stringify(name)}:${isJson ? cell : JSON.stringify(cell)}`;
    });
  return `[${rows.map((row) => `{${members(row).join(',')}}`).join(',')}]`;
}
