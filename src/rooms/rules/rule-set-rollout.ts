/** Rollouts of rule sets, planned as those of models: two people forward, by the same call; one person back. */
import {
  holdingText,
  type ProposedHolding,
  type Rollout,
} from '../../core/score/rollout/holding.ts';
import {
  checkApproval,
  PROPOSAL_MS_MAX,
  planPromotion,
  planRemoval,
  RULE_SETS_RISE,
} from '../../core/score/rollout/plan-rollout.ts';
import { readRuleSetRollouts } from '../../core/store/rule-sets/rule-sets.ts';
import { corridorsNamed } from '../../core/store/transactions/corridors.ts';
import { refuseShared, refuseStale } from '../../kit/access/identities.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { findKnown, refuse } from './rule-set-change.ts';
import type { DecidedJson, ProposalJson } from './rule-set-record.ts';
import {
  appendRollouts,
  insertProposal,
  listOpen,
  lockRollouts,
  type StoredProposal,
} from './store.ts';

type Transactions = Pick<Database, 'transaction'>;
type Wanted = { readonly corridor: string; readonly to: ProposedHolding };

export const sinceOpen = () => new Date(Date.now() - PROPOSAL_MS_MAX);

export const toProposalJson = (one: StoredProposal): ProposalJson => ({
  proposal_id: one.proposalId,
  corridor: one.corridor,
  to: holdingText(one),
  proposed_by: one.proposedBy,
  proposed_at: one.proposedAt.toISOString(),
});

/** Proposes a rollout, or puts in force what another person has proposed. */
export async function rollOut(
  database: Transactions,
  name: string,
  { corridor, to }: Wanted,
  by: Officer,
): Promise<DecidedJson> {
  return await database.transaction(async (query) => {
    await lockRollouts(query);
    const { state } = await findKnown(query, name);
    if (state !== 'approved') refuse(`${name} is ${state}: what is approved is rolled out`);
    const corridors = await corridorsNamed({ query }, corridor);
    const log = await readRuleSetRollouts({ query });
    const rows = planPromotion(log, corridors, { subject: name, ...to }, RULE_SETS_RISE);
    const proposal = await findOpen(query, name, { corridor, to });
    if (proposal === undefined) {
      await refuseStale({ query }, by.keyId);
      return await propose(query, name, { corridor, to }, by);
    }
    checkApproval({ ...proposal, isApproved: false }, by.name, Date.now());
    await refuseShared({ query }, proposal.proposedByKey, by.keyId, 'approve');
    const { proposalId, proposedBy } = proposal;
    await appendRollouts(query, JSON.stringify(rows), proposalId, proposedBy, by.name, by.keyId);
    return await decided(query, 'rule-set.rollout', name, rows, by);
  });
}

async function findOpen(query: Query, name: string, { corridor, to }: Wanted) {
  const open = await listOpen(query, name, sinceOpen());
  return open.find((one) => one.corridor === corridor && holdingText(one) === holdingText(to));
}

async function propose(
  query: Query,
  name: string,
  wanted: Wanted,
  by: Officer,
): Promise<DecidedJson> {
  const { corridor, to } = wanted;
  await insertProposal(query, name, corridor, to.state, to.canaryPercent, by.name, by.keyId);
  const proposal = await findOpen(query, name, wanted);
  if (proposal === undefined) return refuse(`${by.name} is revoked`);
  await recordChange(query, by, {
    action: 'rule-set.propose',
    subject: name,
    before: null,
    after: { corridor, to: holdingText(to) },
  });
  return { proposal: toProposalJson(proposal), items: [] };
}

/** Ends what a rule set does: its canary, or its decisions, which go back to the rule set that decided before. */
export async function rollBack(
  database: Transactions,
  name: string,
  corridor: string,
  by: Officer,
): Promise<DecidedJson> {
  return await database.transaction(async (query) => {
    await lockRollouts(query);
    await findKnown(query, name);
    await refuseStale({ query }, by.keyId);
    const log = await readRuleSetRollouts({ query });
    const corridors = await corridorsNamed({ query }, corridor);
    const rows = corridors.flatMap((one) => planRemoval(log, one, name));
    if (rows.length === 0) refuse(`${name} decides nowhere there`);
    await appendRollouts(query, JSON.stringify(rows), null, by.name, null, by.keyId);
    return await decided(query, 'rule-set.rollback', name, rows, by);
  });
}

async function decided(
  query: Query,
  action: 'rule-set.rollout' | 'rule-set.rollback',
  subject: string,
  rows: readonly Rollout[],
  by: Officer,
): Promise<DecidedJson> {
  const items = rows.map((row) => ({
    corridor: row.corridor,
    to: holdingText(row),
    cause: row.cause,
    rule_set: row.subject,
  }));
  await recordChange(query, by, { action, subject, before: null, after: { items } });
  return { proposal: null, items };
}
