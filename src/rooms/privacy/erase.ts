/**
 * Erases a subject: deletes its row with the key, without which nobody can make its token again. With an account go the subjects
 * that this account alone has used.
 */

import { open, readFile } from 'node:fs/promises';
import { refuseOnHold } from '../../core/store/partitions/legal-holds.ts';
import { refuseShared } from '../../kit/access/identities.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import type { Officer } from '../../kit/words/principal.ts';
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

/** Market, token and time. */
const LINE = /^(\S+) (\S+) (\S+Z)$/;
const NEWLINE = 0x0a;

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
    if (before !== undefined && before.erased_at !== null)
      return { erasure: before, blockedBy: [] };
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
      await refuseShared({ query }, before.asked_by_key, by.keyId, 'confirm');
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

/**
 * The ledger of erasures: a file outside Postgres, so that a restored backup brings no erased subject back. A line has a token,
 * which reveals nothing by itself, and is on the disk before the erasure commits.
 * The tokens of a market's erasures and their times; none where no file exists yet. A line that a crash cut off was never acknowledged.
 */
export async function readLedger(
  path: string,
  market: string,
): Promise<ReadonlyMap<string, string>> {
  const tokens = new Map<string, string>();
  for (const line of (await readText(path)).split('\n')) {
    const [, of, token, at] = LINE.exec(line) ?? [];
    if (of === market && token !== undefined && at !== undefined) tokens.set(token, at);
  }
  return tokens;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (Object(error).code === 'ENOENT') return '';
    throw unusable(path, error);
  }
}

export async function appendToLedger(
  path: string,
  market: string,
  tokens: readonly string[],
  erasedAt: Date,
): Promise<void> {
  try {
    await using file = await open(path, 'a+', 0o600);
    const { size } = await file.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await file.read(last, 0, 1, size - 1);
    // A newline ends a line that a crash cut off, so that the new line is whole.
    const begun = size > 0 && last[0] !== NEWLINE ? '\n' : '';
    const lines = tokens.map((token) => `${market} ${token} ${erasedAt.toISOString()}\n`);
    await file.appendFile(begun + lines.join(''));
    await file.sync();
  } catch (error) {
    throw unusable(path, error);
  }
}

const unusable = (path: string, error: unknown) =>
  new Failure(
    'unavailable',
    'LEDGER_UNUSABLE',
    `RISK_ERASURE_LEDGER ${path}: ${toError(error).message}`,
  );
