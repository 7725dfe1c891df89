/** Rollouts of rule sets, decided as those of models: two people forward, by the same call; one person back. */
import { holdingText, type ProposedHolding } from '../../core/score/rollout/holding.ts';
import { PROPOSAL_MS_MAX } from '../../core/score/rollout/plan-rollout.ts';
import * as rollouts from '../../core/store/rollouts/decide-rollout.ts';
import {
  type Decision,
  listOpenProposals,
  RULE_SETS,
  type StoredProposal,
} from '../../core/store/rollouts/rollouts.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { findKnown, refuse } from './rule-set-change.ts';
import type { DecidedJson, ProposalJson } from './rule-set-record.ts';

type Wanted = {
  readonly corridor: string;
  readonly to: ProposedHolding;
  readonly override?: string | undefined;
};

export const listOpen = async (database: Pick<Database, 'query'>, name: string) =>
  await listOpenProposals(RULE_SETS, database, name, Date.now() - PROPOSAL_MS_MAX);

export const toProposalJson = (one: StoredProposal): ProposalJson => ({
  proposal_id: one.proposalId,
  corridor: one.corridor,
  to: holdingText(one),
  proposed_by: one.proposedBy,
  proposed_at: one.proposedAt.toISOString(),
  override: one.reason,
});

/** Proposes a rollout, or puts in force what another person has proposed. */
export async function rollOut(
  database: Database,
  name: string,
  { corridor, to, override }: Wanted,
  by: Officer,
): Promise<DecidedJson> {
  await requireApproved(database.query, name);
  const [open] = (await listOpen(database, name)).filter(
    (one) =>
      one.corridor === corridor &&
      holdingText(one) === holdingText(to) &&
      (override === undefined || override === one.reason),
  );
  if (open !== undefined) {
    const { proposalId } = open;
    return toDecided(
      await rollouts.approveRollout(RULE_SETS, database, proposalId, by, requireApproved),
    );
  }
  const asked = { subject: name, corridor, to, override, by };
  const id = await rollouts.proposeRollout(RULE_SETS, database, asked);
  const proposal = await rollouts.findProposal(RULE_SETS, database.query, id);
  return { proposal: toProposalJson(proposal), items: [] };
}

async function requireApproved(query: Query, name: string): Promise<void> {
  const { state } = await findKnown(query, name);
  if (state !== 'approved') refuse(`${name} is ${state}: what is approved is rolled out`);
}

/** Ends what a rule set does: its canary, or its decisions, which go back to the rule set that decided before. */
export async function rollBack(
  database: Database,
  name: string,
  corridor: string,
  by: Officer,
): Promise<DecidedJson> {
  await findKnown(database.query, name);
  return toDecided(await rollouts.rollBack(RULE_SETS, database, corridor, by, name));
}

const toDecided = ({ rows }: Decision): DecidedJson => ({
  proposal: null,
  items: rows.map((row) => ({
    corridor: row.corridor,
    to: holdingText(row),
    cause: row.cause,
    rule_set: row.subject,
  })),
});
