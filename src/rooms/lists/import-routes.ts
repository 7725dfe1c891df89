/** `/v1/lists/{name}/imports`: files of entries, all or nothing. */
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Api } from '../../core/room.ts';
import { requirePerson } from '../../kit/approvals/approvals.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import {
  type BodyLimits,
  bodyChunks,
  createDeadline,
  readMediaType,
} from '../../kit/http/body/body.ts';
import { isLines, LINES_CONTENT_TYPE } from '../../kit/http/body/line-reader.ts';
import { ndjson } from '../../kit/http/openapi.ts';
import { answer, change, list } from '../../kit/http/operation.ts';
import { given } from '../../kit/words/describe-issue.ts';
import type { Role } from '../../kit/words/principal.ts';
import { lockList, requireList } from './change.ts';
import { endImport, importEntries, listImports } from './import.ts';
import { IMPORT_ROWS_MAX, type ImportRows, type Reading, readImport } from './import-rows.ts';
import { DEVICE, importParameters, importPath, importSchema, namePath } from './list.ts';
import { keeperOf } from './value.ts';

type ImportParts = Pick<Api, 'databases' | 'limits'> & {
  /** An import has its rows in memory, so a process does one at a time. */
  readonly running: { isOne: boolean };
};

/** Roles that may change lists: alone on a list that blocks or watches and to end an entry, by an approval on a list that allows. */
export const CHANGERS = ['analyst', 'operator', 'risk_officer'] as const satisfies readonly Role[];
export const READERS = CHANGERS;

const CSV = 'text/csv';
/** A body slower than this for each allowed time breaks off. */
const SLOW_BYTES = 64 * 1024;
const BUSY_RETRY_AFTER_SECONDS = '10';

const lines = [
  { value: DEVICE },
  { value: 'device-77', reason: 'found on the web', expires_at: '2099-01-01T00:00:00Z' },
];

export const importLineSchema = z
  .strictObject({
    value: z.string(),
    reason: z.string().optional().meta({ description: 'In place of the reason of the import.' }),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'ListImportLine' });

export const importOperations = [
  list({
    at: '/v1/lists/{name}/imports',
    operationId: 'listListImports',
    summary: 'Imports of a list, the newest 200',
    roles: READERS,
    path: namePath,
    row: importSchema,
    says: 'Newest first.',
    rows: async ({ path: { name } }, { databases: { primary } }: ImportParts) => {
      await requireList(primary.query, name);
      return await listImports(primary.query, name);
    },
  }),
  change({
    at: '/v1/lists/{name}/imports',
    operationId: 'importListEntries',
    summary: 'Add a file of values to a list, all or nothing',
    description: `At most ${IMPORT_ROWS_MAX.toLocaleString('en-US')} rows of NDJSON, or of CSV with a header of the same fields. A wrong value or a past expiry, named by its line as \`/lines/17/value\`, refuses the file; the answer names the first 100. Values that the list has stay as they are, so a file may be sent again. An import into an allow list waits as a whole for the approval that the answer names.`,
    roles: CHANGERS,
    path: namePath,
    query: importParameters,
    ownBody: {
      ...ndjson(['ListImportLine'], lines),
      [CSV]: { schema: { type: 'string' }, example: `value,expires_at\n${DEVICE},\n` },
    },
    answers: { 200: answer('The import.', importSchema) },
    problems: [409],
    run: async ({ path: { name }, query, by, c }, parts: ImportParts) => {
      const { databases, running } = parts;
      if (running.isOne) {
        throw new Problem('overloaded', 'An import is under way in this API process.', {
          headers: { 'Retry-After': BUSY_RETRY_AFTER_SECONDS },
        });
      }
      running.isOne = true;
      try {
        const { kind } = await databases.primary.transaction(async (query) => {
          const list = await lockList(query, name);
          if (list.effect === 'allow') await requirePerson(query, by);
          return list;
        });
        // A million rows take a minute: the pace of the body and the bound on its rows end the work.
        c.get('liftDeadline')?.();
        const reading = {
          kind,
          nowMs: databases.now(),
          idsAsTheyAre: query.ids_as_they_are ?? false,
        };
        const read = await readBody(c, reading, parts.limits);
        const wanted = { name, kind, reason: query.reason, ...read };
        return await importEntries(databases.primary, wanted, by);
      } finally {
        running.isOne = false;
      }
    },
  }),
  change({
    method: 'delete',
    at: '/v1/lists/{name}/imports/{id}',
    operationId: 'endListImport',
    'x-command': 'lists remove-import',
    summary: 'End the entries of an import, or withdraw a proposed one',
    roles: CHANGERS,
    path: importPath,
    answers: { 200: answer('The import.', importSchema) },
    run: ({ path: { name, id }, by }, { databases: { primary } }: ImportParts) =>
      endImport(primary, name, id, by),
  }),
];

async function readBody(
  c: Context<AppEnv>,
  reading: Pick<Reading, 'kind' | 'nowMs' | 'idsAsTheyAre'>,
  { timeoutMs, waitForCpu }: BodyLimits,
): Promise<ImportRows> {
  const type = readMediaType(c);
  if (type !== CSV && !isLines(type)) {
    const detail = `The body has Content-Type ${given(type)}, and only ${LINES_CONTENT_TYPE} and ${CSV} are allowed.`;
    throw new Problem('unsupported-media-type', detail);
  }
  let broken: unknown;
  async function* arriving() {
    const body = bodyChunks(c);
    using deadline = createDeadline(timeoutMs);
    let bytes = 0;
    try {
      for (;;) {
        const next = await deadline.race(body.next());
        if (next.done === true) return;
        yield next.value;
        bytes += next.value.byteLength;
        if (bytes < SLOW_BYTES) continue;
        bytes = 0;
        deadline.restart();
      }
    } catch (error) {
      broken = error;
      throw error;
    }
  }
  const text = Readable.from(arriving(), { objectMode: false });
  const tokensOf = keeperOf(c, reading.kind);
  const bodyReading = { ...reading, isJson: type !== CSV, tokensOf, pause: waitForCpu };
  return await readImport(text, bodyReading).catch((error: unknown) => {
    throw broken ?? error;
  });
}
