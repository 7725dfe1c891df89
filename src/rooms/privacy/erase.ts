/**
 * Erases a subject: deletes its row with the key, without which nobody can make its token again. With an account go the subjects
 * that this account alone has used.
 */

import { refuseOnHold } from '../../core/store/partitions/legal-holds.ts';
import { appendToLedger } from '../../kit/access/erasure-ledger.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import { propose } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { findNoted, findOwn } from './own-subjects.ts';
import {
  deleteSubjects,
  type Erasure,
  endWith,
  findBlocking,
  findErasure,
  insertErasure,
  listFields,
  lockState,
  lockSubject,
  raiseState,
} from './store.ts';

export type Erasing = { readonly token: string; readonly reason: string };
type Ledger = { readonly market: string; readonly ledger: string };

/** Erases a subject; one on a block list waits for another person. @param to the market and its ledger */
export const eraseSubject = (
  { transaction }: Pick<Database, 'transaction'>,
  to: Ledger,
  erasing: Erasing,
  by: Officer,
): Promise<Erasure | Approval> => transaction((query) => eraseIn(query, to, erasing, by));

/** @param askedBy who has proposed what `by` confirms; undefined: nobody */
export async function eraseIn(
  query: Query,
  to: Ledger,
  { token, reason }: Erasing,
  by: Officer,
  askedBy?: string,
): Promise<Erasure | Approval> {
  const { keyId, marketKey } = await lockState(query);
  // A repetition after a lost answer gets the erasure again.
  const before = await findErasure(query, token);
  if (before !== undefined) return before;
  const subject = await lockSubject(query, token);
  if (subject === undefined) {
    throw new Failure('not-found', 'SUBJECT_UNKNOWN', `no subject has the token ${token}`);
  }
  const { field } = subject;
  const isAccount = field === 'account_id';
  // Any hold keeps a device, an address or a member of metadata, as its accounts are not looked up. A value that goes along with
  // its only account has the account's holds.
  await refuseOnHold(query, isAccount ? { kind: 'account', account: token } : { kind: 'market' });
  const fields = isAccount ? (await listFields(query)).map((listField) => listField.field) : [];
  const own = await findOwn(query, token, fields);
  const blockedBy = (await findBlocking(query, [token, ...own.tokens])).map(({ list }) => list);
  if (blockedBy.length > 0 && askedBy === undefined) {
    // The value would come back unblocked.
    const detail = { field, blocked_by: blockedBy };
    return await propose(query, { kind: 'erasure', subject: token, detail, reason }, by);
  }
  const noted = isAccount ? (await findNoted(query, token)).map(({ id }) => id) : [];
  const report = JSON.stringify({ also: own.fields, notedCases: noted });
  const people = [askedBy ?? by.name, askedBy === undefined ? null : by.name] as const;
  const erasure = await insertErasure(query, token, field, reason, ...people, report);
  await erase(query, erasure, own.tokens, by);
  await raiseState(query, keyId, marketKey);
  // The ledger is written last, the account's line behind those of what goes along. Each written line counts as an erasure, even where the
  // disk is full or the commit fails.
  await appendToLedger(to.ledger, to.market, [...own.tokens, token], new Date());
  return erasure;
}

/** Deletes the subject, and those that go with it. */
async function erase(
  query: Query,
  { token, field, reason, asked_by }: Erasure,
  own: readonly string[],
  by: Officer,
): Promise<void> {
  const gone = await deleteSubjects(query, [token, ...own]);
  const others = gone.filter((subject) => subject.token !== token);
  const tokens = others.map((other) => other.token);
  const fields = others.map((other) => other.field);
  await endWith(query, token, tokens, fields);
  const after = { field, reason, asked_by, with: tokens };
  await recordChange(query, by, {
    action: 'personal.erase',
    subject: token,
    before: null,
    after,
  });
}
