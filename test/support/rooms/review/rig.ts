/**
 * People who review cases in a real database. Ann and Dee are analysts, Bob and Cy risk officers, too. Cy made Dee's key, so
 * he may hold it.
 */
import type { Database } from '../../../../src/kit/database/pool.ts';
import type { Role } from '../../../../src/kit/words/principal.ts';
import { closeDecided } from '../../../../src/rooms/review/change/close-decided.ts';
import { decideMany } from '../../../../src/rooms/review/change/decide-many.ts';
import { openByHand } from '../../../../src/rooms/review/change/raise-cases.ts';
import {
  addNote,
  type By,
  claimNext,
  STEPS,
  takeStep,
} from '../../../../src/rooms/review/change/steps.ts';
import { createTestDatabase } from '../../database.ts';
import { insertPersonKey } from '../../people.ts';
import type { TransactionSeed } from '../../stored-rows.ts';
import { openCasesOf } from './cases.ts';

type Label = Readonly<Record<'id' | 'label' | 'source' | 'identity', string>>;

const ANALYST: readonly Role[] = ['analyst'];
const OFFICER: readonly Role[] = ['analyst', 'risk_officer'];
const ROLES = { Ann: ANALYST, Bob: OFFICER, Cy: OFFICER, Dee: ANALYST };

type Decision = Parameters<typeof STEPS.decide.take>[3];

/** The steps of reviewers, on one database. */
export function reviewingOn(database: Pick<Database, 'transaction'>) {
  return {
    open: (id: string, note: string | null, by: By) =>
      openByHand(database, { transaction_id: id, note }, by),
    next: (filter: Parameters<typeof claimNext>[1], by: By) => claimNext(database, filter, by),
    claim: (id: string, by: By) => takeStep(database, STEPS.claim, id, by, undefined),
    extendLock: (id: string, by: By) => takeStep(database, STEPS.lock, id, by, undefined),
    release: (id: string, by: By) => takeStep(database, STEPS.release, id, by, undefined),
    assign: (id: string, assignee: string | null, by: By) =>
      takeStep(database, STEPS.assign, id, by, { assignee }),
    escalate: (id: string, reason: string, by: By) =>
      takeStep(database, STEPS.escalate, id, by, { reason }),
    decide: (id: string, decision: Decision, by: By) =>
      takeStep(database, STEPS.decide, id, by, decision),
    confirm: (id: string, by: By) => takeStep(database, STEPS.confirm, id, by, undefined),
    giveBack: (id: string, reason: string, by: By) =>
      takeStep(database, STEPS.return, id, by, { reason }),
    undo: (id: string, by: By) => takeStep(database, STEPS.undo, id, by, undefined),
    decideMany: (cases: string[], decision: Decision, by: By) =>
      decideMany(database, { cases, ...decision }, by),
    note: (id: string, note: string, by: By) => addNote(database, id, { note }, by),
  };
}

export async function createReviewRig() {
  const testDatabase = await createTestDatabase();
  const { sql } = testDatabase;
  const database = testDatabase.open({ connectionsMax: 20 });
  const people = new Map<string, By>();
  for (const [name, roles] of Object.entries(ROLES)) {
    await insertPersonKey(testDatabase, name, roles);
    const [key] = await sql<{ keyId: string }>(
      `select key_id as "keyId" from api_keys where identity = $1`,
      [name],
    );
    const isOfficer = roles === OFFICER;
    people.set(name, { name, keyId: key?.keyId ?? '', request: 'test', isOfficer });
  }
  const by = (name: string): By => {
    const person = people.get(name);
    if (person === undefined) throw new Error(`nobody is ${name}`);
    return person;
  };
  await sql(`update api_keys set made_by = $1 where identity = 'Dee'`, [by('Cy').keyId]);
  /** Transactions whose profiles were invalidated. */
  const invalidated: string[][] = [];
  const invalidateLabelled = async (ids: readonly string[]) => void invalidated.push([...ids]);
  return {
    ...{ testDatabase, database, by, invalidated, reviewing: reviewingOn(database) },
    /** Opens a case for each; returns the ids in order. */
    open: (seeds: readonly Partial<TransactionSeed>[]) =>
      openCasesOf(testDatabase, database, seeds),
    close: (writes: Pick<Database, 'transaction'> = database) =>
      closeDecided({ writes, database, invalidateLabelled }, 'test'),
    /** Ends the time in which decisions can be undone. */
    passUndo: () =>
      sql(`update review_cases set final_at = now() - interval '1 s' where state = 'decided'`),
    labels: () =>
      sql<Label>('select transaction_id as id, label, source, identity from labels order by 1'),
    /** The steps of a case with their authors, in order. */
    actions: async (id: string) => {
      const rows = await sql<{ action: string; who: string }>(
        'select action, who from audit_log where subject = $1 order by audit_id',
        [id],
      );
      return rows.map(({ action, who }) => `${who} ${action}`);
    },
    /** Removes cases and all they are made from. */
    clear: async () => {
      await sql(
        'truncate transactions, scores, labels, outbox_labels, outbox_review, review_cases cascade',
      );
      await sql('delete from final_decisions');
    },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]();
      await testDatabase[Symbol.asyncDispose]();
    },
  };
}
