/**
 * Erases a subject: deletes its row with the key, without which nobody can make its token again. With an account go the subjects
 * that this account alone has used.
 */
import { refuseOnHold } from '../../core/store/partitions/legal-holds.ts';
import { refuseShared } from '../../kit/access/identities.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { appendToLedger } from './ledger.ts';
import { findNoted, findOwn } from './own-subjects.ts';
import {
  askErasure,
  deleteSubjects,
  type Erasure,
  endErasure,
  endWith,
  findBlocking,
  findErasure,
  listFields,
  lockState,
  lockSubject,
  raiseState,
} from './store.ts';

export type Erasing = { readonly token: string; readonly reason: string };
type Erased = { readonly erasure: Erasure; readonly blockedBy: readonly string[] };

/** @param to the market and its ledger */
export async function eraseSubject(
  database: Pick<Database, 'transaction'>,
  to: { readonly market: string; readonly ledger: string },
  { token, reason }: Erasing,
  by: Officer,
): Promise<Erasure> {
  const { erasure, blockedBy } = await database.transaction(async (query): Promise<Erased> => {
    const { keyId, marketKey } = await lockState(query);
    const before = await findErasure(query, token);
    // A repetition after a lost answer gets the erasure again.
    if (before !== undefined && before.erasedAt !== null) return { erasure: before, blockedBy: [] };
    const subject = await lockSubject(query, token);
    if (subject === undefined) {
      throw new Failure('not-found', 'SUBJECT_UNKNOWN', `no subject has the token ${token}`);
    }
    const { field } = subject;
    const isAccount = field === 'account_id';
    // Any hold keeps a device, an address or a member of metadata, as its accounts are not looked up. A value that goes along with
    // its only account has the account's holds.
    await refuseOnHold(query, isAccount ? { kind: 'account', account: token } : { kind: 'market' });
    const fields = isAccount ? (await listFields(query)).map((one) => one.field) : [];
    const own = await findOwn(query, token, fields);
    const blockedBy = (await findBlocking(query, [token, ...own.tokens])).map(({ list }) => list);
    if (before === undefined) {
      const asked = await askErasure(query, token, field, reason, by.name, by.keyId);
      if (blockedBy.length > 0) {
        const change = { action: 'personal.ask', subject: token, before: null } as const;
        await recordChange(query, by, {
          ...change,
          after: { field, reason, blocked_by: blockedBy },
        });
        return { erasure: asked, blockedBy };
      }
    } else if (blockedBy.length > 0) {
      await refuseShared({ query }, before.askedByKey, by.keyId, 'confirm');
    }
    const confirmedBy = before === undefined ? null : by.name;
    const noted = isAccount ? (await findNoted(query, token)).map(({ id }) => id) : [];
    const report = { also: own.fields, notedCases: noted };
    const erasure = await endErasure(query, token, confirmedBy, JSON.stringify(report));
    await erase(query, erasure, own.tokens, by);
    await raiseState(query, keyId, marketKey);
    // The ledger comes last, and the account behind what goes along: each line counts as erased, even where the disk is full or the
    // commit fails.
    await appendToLedger(to.ledger, to.market, [...own.tokens, token], new Date());
    return { erasure, blockedBy: [] };
  });
  if (blockedBy.length === 0) return erasure;
  const why = `the subject is on the block list ${blockedBy.join(' and ')}, and its value would come back unblocked: the erasure waits until another person, a risk officer, asks for the same`;
  throw new Failure('conflict', 'SUBJECT_BLOCKED', why);
}

/** Deletes the subject, and those that go with it. */
async function erase(
  query: Query,
  { token, field, reason, askedBy }: Erasure,
  own: readonly string[],
  by: Officer,
): Promise<void> {
  const gone = await deleteSubjects(query, [token, ...own]);
  const others = gone.filter((one) => one.token !== token);
  const tokens = others.map((one) => one.token);
  const fields = others.map((one) => one.field);
  await endWith(query, token, tokens, fields);
  const after = { field, reason, asked_by: askedBy, with: tokens };
  await recordChange(query, by, {
    action: 'personal.erase',
    subject: token,
    before: null,
    after,
  });
}
