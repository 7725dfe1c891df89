/** What reviewers ask: lists of cases, one case with all that is known of it, and final decisions. */
import { z } from 'zod';
import { DISPOSITIONS } from '../../../core/domain/disposition.ts';
import { VERDICTS } from '../../../core/domain/score-record.ts';
import type { PageJson } from '../../../core/read/page.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import {
  CASE_LIMITS,
  type CaseJson,
  type CaseListParameters,
  caseSchema,
  readCaseCursor,
  type StoredCase,
  writeCaseCursor,
} from '../review-case.ts';
import { CASE_SOURCES, priorityNames } from '../review-policy.ts';
import {
  type CaseChange,
  listNotes,
  readCaseHistory,
  readFile,
  type StoredNote,
} from '../store/case-notes.ts';
import { searchCases } from '../store/case-search.ts';
import { type FinalDecision, listDecisions, listDecisionsOf } from '../store/final-decisions.ts';
import { readCase } from '../store/review-cases.ts';
import { readPolicy } from '../store/review-policies.ts';
import { toCaseJson } from './case-json.ts';

type Queries = Pick<Database, 'query'>;

/** A page of cases, the most urgent first; closed ones newest first. */
export async function listCases(
  database: Queries,
  { state, priority, cursor, limit, ...others }: CaseListParameters,
): Promise<PageJson<CaseJson>> {
  const after = readCaseCursor(cursor);
  const isClosed = state === 'closed';
  if (after !== undefined && (after.group === 'c') !== isClosed) {
    const detail = 'must be the next_cursor of a list with the same state';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const filter = {
    ...{ state, corridor: others.corridor, assignee: others.assignee },
    ...{ lockedBy: others.locked_by, accountId: others.account_id },
    ...{ merchantId: others.merchant_id, deviceId: others.device_id },
    priority: priority === undefined ? undefined : priorityNames.indexOf(priority),
  };
  const { policy } = await readPolicy(database);
  const rows = await searchCases(database, filter, after, limit);
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return {
    items: rows.map((row) => toCaseJson(row, policy)),
    next_cursor: last === undefined ? null : cursorAfter(last, isClosed),
  };
}

function cursorAfter(last: StoredCase, isClosed: boolean): string {
  const { transactionId: id, closedAtMs, dueAtMs, priority } = last;
  return writeCaseCursor(
    isClosed
      ? { group: 'c', atMs: closedAtMs ?? 0, id }
      : { group: `${priority}`, atMs: dueAtMs, id },
  );
}

const time = z.iso.datetime();

export const finalDecisionSchema = z
  .object({
    decision_id: z.string().meta({ description: 'Ascends in the order of commits.' }),
    transaction_id: z.uuid(),
    created_at: time,
    account_id: z.string(),
    merchant_id: z.string(),
    corridor: z.string(),
    score: z.int().nullable(),
    verdict: z.enum(VERDICTS).nullable(),
    source: z.enum(CASE_SOURCES),
    priority: z.enum(priorityNames),
    disposition: z.enum(DISPOSITIONS),
    reason: z.string(),
    decided_by: z.string(),
    decided_at: time,
    confirmed_by: z.string().nullable(),
    label: z.enum(['posted', 'none', 'month_detached']),
    final_at: time,
  })
  .meta({ id: 'FinalDecision' });
export type FinalDecisionJson = z.infer<typeof finalDecisionSchema>;

export function toDecisionJson(one: FinalDecision): FinalDecisionJson {
  return {
    decision_id: one.decisionId,
    transaction_id: one.transactionId,
    created_at: one.createdAt.toISOString(),
    account_id: one.accountId,
    merchant_id: one.merchantId,
    ...{ corridor: one.corridor, score: one.score, verdict: one.verdict, source: one.source },
    priority: priorityNames[one.priority] ?? 'P5',
    ...{ disposition: one.disposition, reason: one.reason, decided_by: one.decidedBy },
    decided_at: one.decidedAt.toISOString(),
    ...{ confirmed_by: one.confirmedBy, label: one.label, final_at: one.finalAt.toISOString() },
  };
}

/** Decisions in the order of their commits, after one of them. */
export async function listFinalDecisions(
  database: Queries,
  after: string,
  limit: number,
): Promise<PageJson<FinalDecisionJson>> {
  const rows = await listDecisions(database, after, limit);
  const last = rows.length === limit ? rows.at(-1) : undefined;
  return { items: rows.map(toDecisionJson), next_cursor: last?.decisionId ?? null };
}

const noteSchema = z
  .object({
    note_id: z.string(),
    written_at: time,
    written_by: z.string(),
    note: z.string().nullable(),
    file_name: z.string().nullable(),
    file_type: z.string().nullable(),
    file_bytes: z.int().nullable(),
  })
  .meta({ id: 'StoredCaseNote' });
const changeSchema = z
  .object({
    changed_at: time,
    who: z.string(),
    action: z.string(),
    after: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'CaseChange' });

export const caseDetailSchema = caseSchema
  .extend({
    notes: z.array(noteSchema).meta({ description: 'Oldest first.' }),
    history: z
      .array(changeSchema)
      .meta({ description: `Newest first, at most ${CASE_LIMITS.shownRows}.` }),
    final_decisions: z.array(finalDecisionSchema).meta({ description: 'Newest first.' }),
  })
  .meta({ id: 'ReviewCaseDetail' });
export type CaseDetailJson = z.infer<typeof caseDetailSchema>;

/** @throws Failure `not-found` */
export async function readCaseDetail(database: Queries, id: string): Promise<CaseDetailJson> {
  const one = await readCase(database.query, id);
  if (one === undefined) {
    throw new Failure('not-found', 'CASE_UNKNOWN', `no case has the id ${given(id)}`);
  }
  const { policy } = await readPolicy(database);
  const rows = CASE_LIMITS.shownRows;
  const notes = await listNotes(database, id, rows);
  const history = await readCaseHistory(database, id, rows);
  const decisions = await listDecisionsOf(database, id, rows);
  return {
    ...toCaseJson(one, policy),
    notes: notes.map(toNoteJson),
    history: history.map(toChangeJson),
    final_decisions: decisions.map(toDecisionJson),
  };
}

function toNoteJson(one: StoredNote): z.infer<typeof noteSchema> {
  return {
    ...{ note_id: one.noteId, written_at: one.writtenAt.toISOString(), written_by: one.writtenBy },
    ...{ note: one.note, file_name: one.fileName, file_type: one.fileType },
    file_bytes: one.fileBytes,
  };
}

function toChangeJson({ changedAt, who, action, after }: CaseChange): z.infer<typeof changeSchema> {
  return { changed_at: changedAt.toISOString(), who, action, after: after && { ...after } };
}

export const caseFileSchema = z
  .object({
    file_name: z.string(),
    file_type: z.string(),
    content: z.string().meta({ description: 'Base64.' }),
  })
  .meta({ id: 'StoredCaseFile' });

/** @throws Failure `not-found` */
export async function readCaseFile(
  database: Queries,
  id: string,
  noteId: string,
): Promise<z.infer<typeof caseFileSchema>> {
  const file = /^\d{1,18}$/.test(noteId) ? await readFile(database, id, noteId) : undefined;
  if (file === undefined) {
    throw new Failure('not-found', 'FILE_UNKNOWN', `the case has no file ${given(noteId)}`);
  }
  const { name, type, bytes } = file;
  return { file_name: name, file_type: type, content: bytes.toString('base64') };
}
