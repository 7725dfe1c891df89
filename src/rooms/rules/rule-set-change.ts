/** The life of a rule set: its author writes and submits it, another person approves it, and it is retired at the end. */
import { canonicalJson } from '../../core/domain/metadata.ts';
import type { ProposedHolding } from '../../core/score/rollout/holding.ts';
import { idsIn, subjectsInForce } from '../../core/score/rollout/in-force.ts';
import { activeIn } from '../../core/score/rollout/plan-rollout.ts';
import { hashRuleSet } from '../../core/score/rules/rule-set-data.ts';
import * as rollouts from '../../core/store/rollouts/decide-rollout.ts';
import { RULE_SETS, readRollouts } from '../../core/store/rollouts/rollouts.ts';
import { holdPerson, refuseStale } from '../../kit/access/identities.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import { type Execute, propose, withdrawWaiting } from '../../kit/approvals/approvals.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { AuditAction } from '../../kit/words/audit.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import { foldName, type Officer } from '../../kit/words/principal.ts';
import { holdFields } from './metadata-fields.ts';
import {
  countRows,
  findRow,
  insertRow,
  lockRow,
  type StoredRuleSet,
  writeApproved,
  writeDraft,
  writeRetired,
  writeSubmitted,
} from './store.ts';

type Transactions = Pick<Database, 'transaction'>;

/** More versions than people write in decades; each has up to 256 KiB. */
const RULE_SETS_MAX = 10_000;
const NAME = /^[a-z][a-z0-9@-]{0,63}$/;

type Wanted = {
  readonly corridor: string;
  readonly to: ProposedHolding;
  readonly override?: string | undefined;
};

export const refuse = (why: string): never => {
  throw new Failure('conflict', 'RULE_SET_REFUSED', why);
};

/** @throws Failure `not-found` */
export async function findKnown(
  query: Query,
  name: string,
  find: typeof findRow = findRow,
): Promise<StoredRuleSet> {
  const row = NAME.test(name) ? await find(query, name) : undefined;
  if (row !== undefined) return row;
  throw new Failure('not-found', 'RULE_SET_UNKNOWN', `people have made no rule set ${given(name)}`);
}

/** The entity tag of a rule set that people have made. */
export const tagOf = ({ version, sha256 }: StoredRuleSet) => `"${version}-${sha256.slice(0, 16)}"`;

const recordOf = ({ ruleSet, state, sha256 }: StoredRuleSet) => ({ ruleSet, state, sha256 });

async function record(
  query: Query,
  by: Officer,
  action: AuditAction,
  before: StoredRuleSet | null,
  after: StoredRuleSet,
): Promise<StoredRuleSet> {
  const was = before && recordOf(before);
  await recordChange(query, by, {
    action,
    subject: after.ruleSet,
    before: was,
    after: recordOf(after),
  });
  return after;
}

const written = (source: object): [sha256: string, text: string] => [
  hashRuleSet(source),
  canonicalJson(source),
];

/** @param source was checked */
export async function createDraft(
  database: Transactions,
  source: { readonly id: string },
  by: Officer,
): Promise<StoredRuleSet> {
  return await database.transaction(async (query) => {
    if (!(await holdPerson(query, by.name))) {
      refuse(`${by.name} is no person: the author of a rule set is one`);
    }
    if ((await countRows(query)).count >= RULE_SETS_MAX)
      refuse(`there are ${RULE_SETS_MAX} already`);
    await holdFields(query, source);
    const row = await insertRow(query, source.id, ...written(source), by.name, by.keyId);
    if (row === undefined) {
      return refuse(`${source.id} exists already: give this rule set another version`);
    }
    return await record(query, by, 'rule-set.create', null, row);
  });
}

/** @param tag the caller has read; another one is refused */
export async function changeDraft(
  database: Transactions,
  name: string,
  tag: string | undefined,
  source: { readonly id: string },
  by: Officer,
): Promise<StoredRuleSet> {
  if (source.id !== name) {
    throw new InvalidFields([{ pointer: '/id', detail: `must be ${name}, as in the path` }]);
  }
  return await database.transaction(async (query) => {
    const before = await findKnown(query, name, lockRow);
    if (tag !== tagOf(before)) {
      const why =
        tag === undefined
          ? 'If-Match is missing: send the ETag of the rule set'
          : `${name} has changed since: it has the ETag ${tagOf(before)}`;
      throw new Failure('conflict', 'PRECONDITION_FAILED', why);
    }
    refuseOther(before, 'draft', by);
    await holdFields(query, source);
    const after = await writeDraft(query, name, ...written(source));
    return await record(query, by, 'rule-set.change', before, after);
  });
}

/** Another person confirms what is submitted. The same again answers what waits, or proposes anew what has expired. */
export async function submit(database: Transactions, name: string, by: Officer): Promise<Approval> {
  return await database.transaction(async (query) => {
    const before = await findKnown(query, name, lockRow);
    const { state, sha256 } = before;
    refuseOther(before, state === 'submitted' ? 'submitted' : 'draft', by);
    if (state === 'draft') {
      const after = await writeSubmitted(query, name);
      await record(query, by, 'rule-set.submit', before, after);
    }
    const detail = { rule_set: name, sha256 };
    return await propose(query, { kind: 'rule-set', subject: name, detail }, by);
  });
}

/** Only the author changes and submits a draft, so that an approver has written no part of it. */
function refuseOther({ ruleSet, state, author }: StoredRuleSet, wanted: string, by: Officer) {
  if (state !== wanted) refuse(`${ruleSet} is ${state}, and no longer a ${wanted}`);
  if (foldName(author) !== foldName(by.name)) {
    refuse(`${ruleSet} is a draft of ${author}: make a version of your own`);
  }
}

export const executeRuleSet: Execute<unknown> = async (query, { subject, approval_id: id }, by) => {
  const { state } = await findKnown(query, subject, lockRow);
  if (state !== 'submitted') refuse(`${subject} is ${state}: what is submitted is approved, once`);
  return recordOf(await writeApproved(query, subject, by.name, id));
};

/** A rule set that decides, or that a rollback would go back to, stays. */
export async function retire(
  database: Transactions,
  name: string,
  by: Officer,
): Promise<StoredRuleSet> {
  return await database.transaction(async (query) => {
    // A rollout that is decided meanwhile would be of a retired rule set.
    await RULE_SETS.lock(query);
    const before = await findKnown(query, name, lockRow);
    await refuseStale({ query }, by.keyId);
    if (before.state === 'retired') refuse(`${name} is retired already`);
    const log = await readRollouts(RULE_SETS, { query });
    // Rollbacks, the engine's among them, go back through all that were active.
    const where = [...subjectsInForce(log)].filter(([corridor, subject]) =>
      [...idsIn(subject), ...activeIn(log, corridor)].includes(name),
    );
    if (where.length > 0) {
      const corridors = where.map(([corridor]) => corridor).join(', ');
      refuse(`${name} decides in ${corridors}, or may again after rollbacks: roll it back first`);
    }
    const after = await writeRetired(query, name, by.name);
    await withdrawWaiting(query, 'rule-set', name, by);
    return await record(query, by, 'rule-set.retire', before, after);
  });
}

export async function rollOut(
  database: Database,
  name: string,
  wanted: Wanted,
  by: Officer,
): Promise<Approval> {
  await requireApproved(database.query, name);
  return await rollouts.proposeRollout(RULE_SETS, database, { subject: name, name, ...wanted, by });
}

async function requireApproved(query: Query, name: string): Promise<void> {
  const { state } = await findKnown(query, name);
  if (state !== 'approved') refuse(`${name} is ${state}: what is approved is rolled out`);
}

export const executeRollout = rollouts.executeRollout(RULE_SETS, requireApproved);

/** Ends what a rule set does: its canary, or its decisions, which go back to the rule set that decided before. */
export async function rollBack(database: Database, name: string, corridor: string, by: Officer) {
  await findKnown(database.query, name);
  const { rows } = await rollouts.rollBack(RULE_SETS, database, corridor, by, name);
  return rollouts.decidedOf(RULE_SETS, rows);
}
