/**
 * Commands of operators on dead letters. Replay marks the rows and makes open rows in one database transaction, as ingest does,
 * and appends the entries; after a crash in between the reconciler appends them. Both commands mark active rows only, so two
 * commands at once do nothing twice.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Ingest } from '../../core/accept/ingest.ts';
import { createdAtMsOf } from '../../core/domain/transaction.ts';
import { openStored } from '../../core/store/open-rows/open-rows.ts';
import { findDetachedMonths } from '../../core/store/partitions/partitions.ts';
import { loadTransactions } from '../../core/store/transactions/read-transactions.ts';
import { planRows } from '../../core/stream/entries/producer.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Change } from '../../kit/words/audit.ts';
import { corridorParameter, timeParameter } from '../../kit/words/list-parameters.ts';
import { type Month, monthOf } from '../../kit/words/month.ts';
import type { Actor } from '../../kit/words/principal.ts';
import * as deadLetterStore from './store.ts';
import { type DeadLetter, errorCodeParameter } from './store.ts';

/** Most dead letters that a database transaction marks. */
const PAGE_ROWS = 1000;
const COMMAND_ROWS_MAX = 10_000;

const selection = z.strictObject({
  ids: z.array(z.uuid().toLowerCase()).min(1).max(PAGE_ROWS).optional(),
  error_code: errorCodeParameter.optional(),
  corridor: corridorParameter.optional(),
  all: z.literal(true).optional(),
  failed_before: timeParameter.optional().meta({
    description: 'Only what failed before; default now. Send the answer’s back to go on.',
  }),
  limit: z.int().min(1).max(COMMAND_ROWS_MAX).default(COMMAND_ROWS_MAX),
});

/** Selects dead letters: `ids`, or `error_code` and/or `corridor`, or `all`; exactly one of the three. */
export const deadLetterCommandSchema = selection
  .superRefine((input, context) => {
    const byGroup = input.error_code !== undefined || input.corridor !== undefined;
    const ways = [input.ids !== undefined, byGroup, input.all === true].filter(Boolean).length;
    if (ways === 1) return;
    const message = 'must have either ids, or error_code and/or corridor, or all: true';
    context.addIssue({ code: 'custom', message, input });
  })
  .meta({ id: 'DeadLetterCommand' });
export type DeadLetterCommand = z.output<typeof deadLetterCommandSchema>;

export const REFUSALS = [
  'unknown',
  'unreadable',
  'replayed',
  'purged',
  'month-detached',
  'busy',
] as const;
export type Refusal = (typeof REFUSALS)[number];

const refusedSchema = z
  .array(z.object({ dead_letter_id: z.uuid(), reason: z.enum(REFUSALS) }))
  .meta({ description: 'Of the given ids, those left as they are, and why.' });
const remainingSchema = z.int().meta({ description: 'Selected ones that are still to be done.' });
const failedBeforeSchema = z.iso.datetime().nullable();

export const replayResultSchema = z
  .object({
    replayed: z.int(),
    appended: z.int().meta({ description: 'The rest is appended by the reconciler.' }),
    remaining: remainingSchema,
    not_replayable: z.int().meta({
      description: 'Selected ones that are unreadable or in a detached month: left as they are.',
    }),
    failed_before: failedBeforeSchema,
    refused: refusedSchema,
  })
  .meta({ id: 'ReplayResult' });
export type ReplayResult = z.infer<typeof replayResultSchema>;

export const purgeResultSchema = z
  .object({
    purged: z.int(),
    remaining: remainingSchema,
    failed_before: failedBeforeSchema,
    refused: refusedSchema,
  })
  .meta({ id: 'PurgeResult' });
export type PurgeResult = z.infer<typeof purgeResultSchema>;

/** How the API hands transactions to streams. */
export type Streams = Pick<Ingest, 'tryAppend' | 'leftRows' | 'shardsOf'>;

export async function replayDeadLetters(
  database: Database,
  streams: Streams,
  command: DeadLetterCommand,
  by: Actor,
): Promise<ReplayResult> {
  const selected = toSelection(command, Date.now());
  let appended = 0;
  const done = await inPages(command.limit, async (rows) => {
    const page = await replayPage(database, streams, selected, rows, by);
    appended += page.appended;
    return page.replayed;
  });
  const { all, replayable } = await deadLetterStore.countSelected(database.query, selected);
  return {
    replayed: done.length,
    appended,
    remaining: replayable,
    not_replayable: all - replayable,
    failed_before: failedBefore(selected),
    refused: await findRefused(database, command.ids ?? [], new Set(done)),
  };
}

/** Marks pages until a page is empty. @returns the ids of what was marked */
async function inPages(
  limit: number,
  mark: (rowsMax: number) => Promise<readonly string[]>,
): Promise<string[]> {
  const done: string[] = [];
  while (done.length < limit) {
    const marked = await mark(Math.min(PAGE_ROWS, limit - done.length));
    if (marked.length === 0) break;
    done.push(...marked);
  }
  return done;
}

async function replayPage(
  database: Database,
  streams: Streams,
  selected: deadLetterStore.DeadLetterSelection,
  rowsMax: number,
  by: Actor,
): Promise<{ replayed: string[]; appended: number }> {
  const { tryAppend, leftRows, shardsOf } = streams;
  const { marked, rows } = await database.transaction(async (query) => {
    const marked = await deadLetterStore.markReplayed(query, selected, rowsMax);
    if (marked.length === 0) return { marked, rows: [] };
    const ids = marked.map((row) => row.transactionId);
    const rows = planRows(randomUUID(), shardsOf, await loadTransactions({ query }, ids));
    await openStored(query, rows);
    await recordChange(query, by, toChange('dead-letters.replay', selected, marked));
    return { marked, rows };
  });
  const replayed = marked.map((row) => row.deadLetterId);
  if (replayed.length === 0) return { replayed, appended: 0 };
  const entries = rows.flatMap(({ rowId, transactions }) =>
    transactions.map((transaction) => {
      return { transaction, attempt: 1, origin: 'replay', replyTo: null, rowId } as const;
    }),
  );
  const left = await tryAppend(entries);
  if (left.length > 0) leftRows.note(left);
  return { replayed, appended: entries.length - left.length };
}

export async function purgeDeadLetters(
  database: Database,
  command: DeadLetterCommand,
  by: Actor,
): Promise<PurgeResult> {
  const selected = toSelection(command, Date.now());
  const done = await inPages(command.limit, (rows) =>
    database.transaction(async (query) => {
      const marked = await deadLetterStore.markPurged(query, selected, Date.now(), rows);
      if (marked.length > 0)
        await recordChange(query, by, toChange('dead-letters.purge', selected, marked));
      return marked.map((row) => row.deadLetterId);
    }),
  );
  const { all } = await deadLetterStore.countSelected(database.query, selected);
  return {
    purged: done.length,
    remaining: all,
    failed_before: failedBefore(selected),
    refused: await findRefused(database, command.ids ?? [], new Set(done)),
  };
}

/** An audit row for each page, as each page has its own commit. */
function toChange(
  action: 'dead-letters.replay' | 'dead-letters.purge',
  selected: deadLetterStore.DeadLetterSelection,
  marked: readonly { readonly deadLetterId: string }[],
): Change {
  const ids = marked.map(({ deadLetterId }) => deadLetterId);
  const { errorCode, corridor } = selected;
  const by = selected.ids === undefined ? [errorCode, corridor] : ['ids'];
  const subject = by.filter((part) => part !== undefined).join(' ') || 'all';
  return { action, subject, before: null, after: { deadLetterIds: ids } };
}

function toSelection(
  { ids, error_code: errorCode, corridor, failed_before }: DeadLetterCommand,
  nowMs: number,
): deadLetterStore.DeadLetterSelection {
  return ids === undefined
    ? { errorCode, corridor, failedBeforeMs: failed_before ?? nowMs }
    : { ids };
}

const failedBefore = ({ failedBeforeMs }: deadLetterStore.DeadLetterSelection) =>
  failedBeforeMs === undefined ? null : new Date(failedBeforeMs).toISOString();

async function findRefused(
  database: Database,
  ids: readonly string[],
  done: ReadonlySet<string>,
): Promise<ReplayResult['refused']> {
  const left = [...new Set(ids)].filter((id) => !done.has(id));
  if (left.length === 0) return [];
  const rows = await deadLetterStore.readDeadLettersById(database.query, left);
  const byId = new Map(rows.map((row) => [row.dead_letter_id, row]));
  const times = rows.flatMap(
    ({ message: { transaction_id: id } }) => createdAtMsOf(id ?? '') ?? [],
  );
  const detached = await findDetachedMonths(database.query, times);
  return left.map((id) => ({ dead_letter_id: id, reason: refusalOf(byId.get(id), detached) }));
}

function refusalOf(row: DeadLetter | undefined, detached: ReadonlySet<Month>): Refusal {
  if (row === undefined) return 'unknown';
  if (row.replayed_at !== null) return 'replayed';
  if (row.purged_at !== null) return 'purged';
  const { transaction_id: id } = row.message;
  if (id === null) return 'unreadable';
  return detached.has(monthOf(createdAtMsOf(id) ?? 0)) ? 'month-detached' : 'busy';
}
