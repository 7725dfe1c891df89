/** Steps of reviewers with cases: each step is one database transaction that locks the case, changes it and audits the change. */
import { z } from 'zod';
import { holdPerson, refuseShared } from '../../../kit/access/identities.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { AuditAction, Change } from '../../../kit/words/audit.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { InvalidFields } from '../../../kit/words/field-errors.ts';
import { idText } from '../../../kit/words/plain-text.ts';
import type { Decider, Officer } from '../../../kit/words/principal.ts';
import { CASE_LIMITS, type CaseJson, type StoredCase } from '../case.ts';
import { toCaseJson } from '../case-json.ts';
import * as steps from '../case-steps.ts';
import type { ReviewPolicy } from '../policy.ts';
import { caseFilters, unknownCase } from '../queries/cases.ts';
import { lockCases, lockNextCase, type NextFilter, writeCases } from '../store/cases.ts';
import { countNotes, insertNote } from '../store/notes.ts';
import { readPolicy } from '../store/policies.ts';

/** The reviewer, and the request in which the reviewer acts. */
export type By = Officer & steps.Reviewer;

/** Text of several lines. */
const lines = z
  .string()
  .min(1)
  .max(CASE_LIMITS.noteChars)
  .refine(
    (text) => !text.includes('\u0000') && text.isWellFormed(),
    'must be well-formed text without U+0000',
  );

/** `POST /v1/reviews/{id}/notes` */
export const noteSchema = z.strictObject({ note: lines }).meta({ id: 'CaseNote' });

export const reviewerOf = (by: Decider): By => ({ ...by, isOfficer: by.roles.has('risk_officer') });

/** Why a step is taken. */
export const reasonSchema = z.strictObject({ reason: steps.reason }).meta({ id: 'CaseReason' });
type Reason = z.infer<typeof reasonSchema>;

export const assignSchema = z
  .strictObject({
    assignee: idText(CASE_LIMITS.nameChars)
      .nullable()
      .meta({ description: 'A person of /v1/identities; null: nobody.' }),
  })
  .meta({ id: 'CaseAssignment' });
type Assignment = z.infer<typeof assignSchema>;

export type Step<Input> = {
  /** Absent where nobody has to account for the change. */
  readonly action?: AuditAction;
  /** Runs in the same database transaction, before the case is locked. */
  readonly prepare?: (query: Query, input: Input) => Promise<unknown>;
  readonly take: (
    stored: StoredCase,
    by: steps.Reviewer,
    policy: ReviewPolicy,
    input: Input,
  ) => steps.CaseStep;
  /** Runs in the same database transaction, before the change is written. */
  readonly check?: (query: Query, stored: StoredCase, by: By, input: Input) => Promise<unknown>;
};

const claim: Step<void> = { action: 'case.claim', take: steps.claim };
const lock: Step<void> = { take: steps.extendLock };
const release: Step<void> = { action: 'case.release', take: steps.release };
const assign: Step<Assignment> = {
  action: 'case.assign',
  prepare: (query, { assignee }) => refuseNobody(query, assignee),
  take: steps.assign,
};
const escalate: Step<Reason> = {
  action: 'case.escalate',
  take: steps.escalate,
  check: noteReason,
};
const decide: Step<steps.Decision> = { action: 'case.decide', take: steps.decide };
const confirm: Step<void> = {
  action: 'case.confirm',
  take: steps.confirm,
  check: (query, { decided_by_key: first }, { keyId }) => refuseShared({ query }, first, keyId),
};
const giveBack: Step<Reason> = { action: 'case.return', take: steps.giveBack, check: noteReason };
const undo: Step<void> = { action: 'case.undo', take: steps.undo };

/** Steps by the last part of their paths. */
export const STEPS = {
  claim,
  lock,
  release,
  assign,
  escalate,
  decide,
  confirm,
  return: giveBack,
  undo,
};

function noteReason(query: Query, { transaction_id }: StoredCase, by: By, { reason }: Reason) {
  return insertNote(query, transaction_id, by.name, reason);
}

async function refuseNobody(query: Query, name: string | null): Promise<void> {
  if (name === null || (await holdPerson(query, name))) return;
  const detail = `must be the name of a person, not ${given(name)}`;
  throw new InvalidFields([{ pointer: '/assignee', detail }]);
}

/** @throws Failure `not-found`, or `conflict` for what may not be done now */
export async function takeStep<Input>(
  database: Pick<Database, 'transaction'>,
  step: Step<Input>,
  id: string,
  by: By,
  input: Input,
): Promise<CaseJson> {
  return await database.transaction(async (query) => {
    await step.prepare?.(query, input);
    return await carryOut(query, step, await lockKnown(query, id), by, input);
  });
}

/** Carries a step out with a case that is locked. */
async function carryOut<Input>(
  query: Query,
  { take, check, action }: Step<Input>,
  stored: StoredCase,
  by: By,
  input: Input,
): Promise<CaseJson> {
  const { policy } = await readPolicy(query);
  const changed = take(stored, by, policy, input);
  await check?.(query, stored, by, input);
  const after = { ...stored, ...changed };
  await writeCases(query, [after]);
  if (action !== undefined) await recordChange(query, by, changeOf(action, stored, changed));
  return toCaseJson(after, policy);
}

/** @throws Failure `not-found` */
async function lockKnown(query: Query, id: string): Promise<StoredCase> {
  const [stored] = await lockCases(query, [id]);
  if (stored === undefined) throw unknownCase(id);
  return stored;
}

/** `POST /v1/reviews/next` */
export const nextSchema = z.strictObject(caseFilters).meta({ id: 'NextReviewCase' });

/** Claims the most urgent case; null where none waits. */
export async function claimNext(
  database: Pick<Database, 'transaction'>,
  filter: NextFilter,
  by: By,
): Promise<CaseJson | null> {
  return await database.transaction(async (query) => {
    const stored = await lockNextCase(query, by, filter);
    return stored === undefined ? null : await carryOut(query, claim, stored, by, undefined);
  });
}

/** Change that a step made, for the audit. */
export function changeOf(action: AuditAction, stored: StoredCase, after: object): Change {
  const row = new Map<string, unknown>(Object.entries(stored));
  const before = Object.keys(after).map((name) => [name, row.get(name) ?? null]);
  return { action, subject: stored.transaction_id, before: Object.fromEntries(before), after };
}

/**
 * Adds a note of a reviewer to a case. A case is no archive, so the number of its notes is bounded.
 * @throws Failure `not-found`, or `conflict` where the case has all the notes that it may have
 */
export async function addNote(
  database: Pick<Database, 'transaction'>,
  subject: string,
  { note }: z.infer<typeof noteSchema>,
  by: Officer,
): Promise<{ note_id: string }> {
  return await database.transaction(async (query) => {
    await lockKnown(query, subject);
    const { rows } = await countNotes(query, subject);
    if (rows >= CASE_LIMITS.shownRows) {
      const why = `the case has ${CASE_LIMITS.shownRows} notes, the most that is allowed`;
      throw new Failure('conflict', 'CASE_FULL', why);
    }
    const { note_id } = await insertNote(query, subject, by.name, note);
    const after = { noteId: note_id, note };
    await recordChange(query, by, { action: 'case.note', subject, before: null, after });
    return { note_id };
  });
}
