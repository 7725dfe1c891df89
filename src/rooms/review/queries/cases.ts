/** Questions of reviewers: lists of cases, and one case with all that is known of it. */
import { z } from 'zod';
import type { Query } from '../../../kit/database/pool.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import {
  CURSOR_DESCRIPTION,
  corridorFilter,
  idParameter,
  pageLimit,
  shown,
} from '../../../kit/words/list-parameters.ts';
import { type PageJson, pageOf } from '../../../kit/words/page.ts';
import {
  CASE_LIMITS,
  CASE_STATES,
  type CaseDetail,
  type CaseJson,
  type StoredCase,
} from '../case.ts';
import { toCaseJson } from '../case-json.ts';
import { priorityNames } from '../policy.ts';
import { type CasePosition, readCase, searchCases } from '../store/cases.ts';
import { listDecisionsOf } from '../store/decisions.ts';
import { listNotes, readCaseHistory } from '../store/notes.ts';
import { readPolicy } from '../store/policies.ts';

export const caseFilters = {
  corridor: corridorFilter,
  priority: z.enum(priorityNames).optional().meta(shown('P1', 'Only this priority.')),
};

/** `PRIORITY.DUE_AT_MS.ID`, or `c.CLOSED_AT_MS.ID` of a closed case; 14 digits last to the year 5138. */
const CURSOR = /^([0-5c])\.(\d{1,14})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** `GET /v1/reviews?…` */
export const caseListParameters = z.strictObject({
  ...caseFilters,
  state: z
    .enum(CASE_STATES)
    .optional()
    .meta({ description: 'Only this state; absent: all but closed ones.' }),
  assignee: idParameter
    .optional()
    .meta(shown('Ann', 'Only cases that are assigned to this person.')),
  locked_by: idParameter.optional().meta(shown('Ann', 'Only cases that this person has claimed.')),
  account_id: idParameter.optional().meta(shown('acc_17', 'Only this account.')),
  merchant_id: idParameter.optional().meta(shown('m_9', 'Only this merchant.')),
  device_id: idParameter.optional().meta(shown('device-4f2a', 'Only this device.')),
  limit: pageLimit,
  cursor: z
    .string()
    .regex(CURSOR, 'must be the next_cursor of this list')
    .optional()
    .meta(shown('1.1795175000000.01a1f84a-95c0-7000-8000-00000000002a', CURSOR_DESCRIPTION)),
});
export type CaseListParameters = z.output<typeof caseListParameters>;

/** A page of cases, the most urgent first; closed ones newest first. */
export async function listCases(
  query: Query,
  { state, cursor, limit, priority, ...filter }: CaseListParameters,
): Promise<PageJson<CaseJson>> {
  const after = positionAt(cursor);
  const isClosed = state === 'closed';
  if (after !== undefined && (after.group === 'closed') !== isClosed) {
    const detail = 'must be the next_cursor of a list with the same state';
    throw new InvalidFields([{ pointer: '/cursor', detail }]);
  }
  const { policy } = await readPolicy(query);
  const all = { ...filter, priority: priority && priorityNames.indexOf(priority) };
  const rows = await searchCases(query, state, all, after, limit);
  const page = pageOf(rows, limit, cursorAfter);
  return { ...page, items: rows.map((row) => toCaseJson(row, policy)) };
}

function positionAt(cursor: string | undefined): CasePosition | undefined {
  const [, group, atMs, id] = CURSOR.exec(cursor ?? '') ?? [];
  if (group === undefined || id === undefined) return undefined;
  return { group: group === 'c' ? 'closed' : Number(group), atMs: Number(atMs), id };
}

function cursorAfter({ transaction_id: id, priority, due_at, closed_at }: StoredCase): string {
  const group = closed_at === null ? priority : 'c';
  return `${group}.${Date.parse(closed_at ?? due_at)}.${id}`;
}

/** @throws Failure `not-found` */
export async function readCaseDetail(query: Query, id: string): Promise<CaseDetail> {
  const stored = await readCase(query, id);
  if (stored === undefined) throw unknownCase(id);
  const { policy } = await readPolicy(query);
  const rows = CASE_LIMITS.shownRows;
  return {
    ...toCaseJson(stored, policy),
    notes: await listNotes(query, id, rows),
    history: await readCaseHistory(query, id, rows),
    final_decisions: await listDecisionsOf(query, id, rows),
  };
}

export function unknownCase(id: string): Failure {
  return new Failure('not-found', 'CASE_UNKNOWN', `no case has the id ${given(id)}`);
}
