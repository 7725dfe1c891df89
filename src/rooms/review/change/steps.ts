/** What reviewers do with cases: each step is one database transaction that locks the case, changes it and audits the change. */
import { holdPerson, refuseShared } from '../../../kit/access/identities.ts';
import { recordChange, recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { AuditAction, Change } from '../../../kit/words/audit.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { InvalidFields } from '../../../kit/words/field-error.ts';
import type { Actor, Officer, Principal } from '../../../kit/words/principal.ts';
import {
  CASE_LIMITS,
  type CaseJson,
  type DecideInput,
  type RingInput,
  type StoredCase,
} from '../case.ts';
import { toCaseJson } from '../case-json.ts';
import * as steps from '../case-steps.ts';
import type { ReviewPolicy } from '../policy.ts';
import { lockNextCase, lockRing, type NextFilter, readCase, writeCases } from '../store/cases.ts';
import { insertNote } from '../store/notes.ts';
import { readPolicy } from '../store/policies.ts';
import { lockKnown, unknownCase } from './lock-known.ts';
import { createNoting } from './notes.ts';
import { raiseByHand } from './raise-cases.ts';

/** Who reviews, and in which request. */
export type By = Officer & { readonly isOfficer: boolean };

export const reviewerOf = (actor: Officer, { roles }: Pick<Principal, 'roles'>): By => ({
  ...{ ...actor, isOfficer: roles.has('risk_officer') },
});

export type Reviewing = ReturnType<typeof createReviewing>;

type Changing = {
  /** Runs in the same database transaction, before the case is locked. */
  readonly prepare?: (query: Query) => Promise<unknown>;
  readonly step: (one: StoredCase, policy: ReviewPolicy) => steps.CaseStep;
  /** Runs in the same database transaction, before the change. */
  readonly check?: (query: Query, one: StoredCase) => Promise<unknown>;
};

/** Each function throws a Failure: `not-found`, or `conflict` for what may not be done now. */
export function createReviewing(database: Pick<Database, 'query' | 'transaction'>) {
  const change = async (
    id: string,
    by: Actor,
    action: AuditAction,
    { prepare, step, check }: Changing,
  ): Promise<CaseJson> =>
    await database.transaction(async (query) => {
      await prepare?.(query);
      const one = await lockKnown(query, id);
      const { policy } = await readPolicy({ query });
      const changed = step(one, policy);
      await check?.(query, one);
      const after = { ...one, ...changed };
      await writeCases(query, [after]);
      await recordChange(query, by, changeOf(action, one, changed));
      return toCaseJson(after, policy);
    });
  return {
    async open(id: string, note: string | null, by: By) {
      const isNew = await raiseByHand(database, id, note, by, async (query, text) => {
        await insertNote(query, id, by.name, text);
      });
      const { policy } = await readPolicy(database);
      const one = await readCase(database.query, id);
      if (one === undefined) throw unknownCase(id);
      return { isNew, case: toCaseJson(one, policy) };
    },
    /** Claims the most urgent case; undefined where none waits. */
    next: async (filter: NextFilter, by: By): Promise<CaseJson | undefined> =>
      await database.transaction(async (query) => {
        const one = await lockNextCase(query, by, filter);
        if (one === undefined) return undefined;
        const { policy } = await readPolicy({ query });
        const changed = steps.claim(one, by, policy);
        const after = { ...one, ...changed };
        await writeCases(query, [after]);
        await recordChange(query, by, changeOf('case.claim', one, changed));
        return toCaseJson(after, policy);
      }),
    claim: (id: string, by: By) =>
      change(id, by, 'case.claim', { step: (one, policy) => steps.claim(one, by, policy) }),
    /** Changes nothing that anybody has to account for, so it is not audited. */
    keepLock: async (id: string, by: By): Promise<CaseJson> =>
      await database.transaction(async (query) => {
        const one = await lockKnown(query, id);
        const { policy } = await readPolicy({ query });
        const after = { ...one, ...steps.keepLock(one, by, policy) };
        await writeCases(query, [after]);
        return toCaseJson(after, policy);
      }),
    release: (id: string, by: By) =>
      change(id, by, 'case.release', { step: (one) => steps.release(one, by) }),
    assign: (id: string, assignee: string | null, by: By) =>
      change(id, by, 'case.assign', {
        prepare: (query) => refuseNobody(query, assignee),
        step: (one) => steps.assign(one, assignee),
      }),
    escalate: (id: string, reason: string, by: By) =>
      change(id, by, 'case.escalate', {
        step: (one) => steps.escalate(one, by),
        check: (query) => insertNote(query, id, by.name, reason),
      }),
    decide: (id: string, input: DecideInput, by: By) =>
      change(id, by, 'case.decide', {
        step: (one, policy) => steps.decide(one, by, input, policy),
      }),
    confirm: (id: string, by: By) =>
      change(id, by, 'case.confirm', {
        step: (one, policy) => steps.confirm(one, by, policy),
        check: (query, one) => refuseShared({ query }, one.decidedByKey, by.keyId, 'confirm'),
      }),
    giveBack: (id: string, reason: string, by: By) =>
      change(id, by, 'case.return', {
        step: steps.giveBack,
        check: (query) => insertNote(query, id, by.name, reason),
      }),
    undo: (id: string, by: By) =>
      change(id, by, 'case.undo', { step: (one, policy) => steps.undo(one, by, policy) }),
    decideRing: (input: RingInput, by: By) => decideRing(database, input, by),
    ...createNoting(database),
  };
}

/** Decides what is left of a ring at once; what others have claimed stays with them. */
async function decideRing(
  database: Pick<Database, 'transaction'>,
  { party, id, disposition, reason }: RingInput,
  by: By,
) {
  return await database.transaction(async (query) => {
    const { policy } = await readPolicy({ query });
    const cases = await lockRing(query, by, party, id, CASE_LIMITS.ringCases + 1);
    const taken = cases.slice(0, CASE_LIMITS.ringCases);
    const decided = taken.map((one) => {
      const claimed = { ...one, ...steps.claim(one, by, policy) };
      const changed = steps.decide(claimed, by, { disposition, reason }, policy);
      return { before: one, changed, after: { ...claimed, ...changed } };
    });
    await writeCases(
      query,
      decided.map(({ after }) => after),
    );
    const ring = `${party} ${id}`;
    await recordChanges(
      query,
      by,
      decided.map(({ before, changed }) => changeOf('case.decide', before, { ...changed, ring })),
    );
    return {
      items: decided.map(({ after }) => toCaseJson(after, policy)),
      more: cases.length > taken.length,
    };
  });
}

async function refuseNobody(query: Query, name: string | null): Promise<void> {
  if (name === null || (await holdPerson(query, name))) return;
  const detail = `must be the name of a person, not ${given(name)}`;
  throw new InvalidFields([{ pointer: '/assignee', detail }]);
}

/** What a step changed; times as text. */
function changeOf(action: AuditAction, one: StoredCase, changed: object): Change {
  const fields = Object.entries(changed);
  const before = fields.map(([name]) => [name, (one as Record<string, unknown>)[name] ?? null]);
  return {
    ...{ action, subject: one.transactionId },
    before: readable(before as [string, unknown][]),
    after: readable(fields),
  };
}

function readable(fields: readonly [string, unknown][]): object {
  return Object.fromEntries(
    fields.map(([name, value]) =>
      name.endsWith('AtMs') || name.endsWith('UntilMs')
        ? [name.slice(0, -2), typeof value === 'number' ? new Date(value).toISOString() : null]
        : [name, value],
    ),
  );
}
