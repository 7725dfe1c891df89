/**
 * Decisions of people about models, by command or API: two people promote, one person rolls back, and in an emergency one
 * person acts alone for a day. Every function throws a Failure for what may not be done now.
 */

import { holdingText, type ProposedHolding } from '../../../core/score/rollout/holding.ts';
import {
  checkApproval,
  planConfirmation,
  planEmergency,
  planPromotion,
  planRollback,
} from '../../../core/score/rollout/plan-rollout.ts';
import { corridorsNamed } from '../../../core/store/transactions/corridors.ts';
import { holdPerson, refuseShared, refuseStale } from '../../../kit/access/identities.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import type { DecidedRolloutsJson, EmergencyJson, ProposalJson } from '../model-record.ts';
import { loadModel } from '../registry/scoring-model.ts';
import { findKnown } from '../store/models.ts';
import {
  type Decision,
  decideRollouts,
  findProposal,
  insertProposal,
  type StoredProposal,
} from '../store/rollouts.ts';
import { readSettledRollouts } from './settled-rollouts.ts';

type Promotion = {
  /** SHA-256 or `name@version`. */
  readonly reference: string;
  /** A corridor or ALL_CORRIDORS. */
  readonly corridor: string;
  readonly to: ProposedHolding;
  readonly by: Officer;
};

export async function proposeRollout(
  database: Database,
  { reference, corridor, to, by }: Promotion,
): Promise<ProposalJson> {
  const { model_id: modelId } = await findKnown(database, reference);
  const corridors = await corridorsNamed(database, corridor);
  planPromotion(await readSettledRollouts(database, by.request), corridors, {
    subject: modelId,
    ...to,
  });
  const id = await database.transaction(async (query) => {
    await refuseStale({ query }, by.keyId);
    return await insertProposal(query, { subject: modelId, corridor, ...to }, by);
  });
  return { proposal_id: id, corridor, to: holdingText(to), proposed_by: by.name };
}

export async function approveRollout(
  database: Database,
  id: string,
  by: Officer,
): Promise<DecidedRolloutsJson> {
  const { subject: modelId } = await findOpen(database, id);
  // The running build may differ from the build that imported the model.
  await loadModel(database, modelId);
  await readSettledRollouts(database, by.request);
  const decision = await decideRollouts(database, async (log, query) => {
    const proposal = await findOpen({ query }, id);
    const { proposalId, proposedBy, proposedByKey } = proposal;
    checkApproval(proposal, by.name, Date.now());
    const isEmergency = log.some((row) => row.proposalId === id && row.cause === 'emergency');
    if (!isEmergency && !(await holdPerson(query, proposedBy))) {
      const why = `${proposedBy} proposed it and is revoked: propose it again`;
      throw new Failure('conflict', 'ROLLOUT_REFUSED', why);
    }
    await refuseShared({ query }, proposedByKey, by.keyId, 'approve');
    const corridors = await corridorsNamed({ query }, proposal.corridor);
    const rows = isEmergency ? planConfirmation(log, id) : planPromotion(log, corridors, proposal);
    return { rows, proposalId, proposedBy, approvedBy: by.name, by };
  });
  return toDecided(decision);
}

/** Puts a model in force for a day, and makes the proposal that another person may approve. */
export async function actAlone(
  database: Database,
  { reference, corridor, to, by }: Promotion,
  reason: string,
): Promise<EmergencyJson> {
  const { model_id: modelId } = await findKnown(database, reference);
  // The running build may differ from the build that imported the model.
  await loadModel(database, modelId);
  await readSettledRollouts(database, by.request);
  const decision = await decideRollouts(database, async (log, query) => {
    await refuseStale({ query }, by.keyId);
    const rows = planEmergency(log, await corridorsNamed({ query }, corridor), {
      subject: modelId,
      ...to,
    });
    const proposalId = await insertProposal(query, { subject: modelId, corridor, ...to }, by);
    return { rows, proposalId, proposedBy: by.name, approvedBy: null, by, reason };
  });
  return { proposal_id: decision.proposalId ?? '', ...toDecided(decision) };
}

export async function takeRolloutBack(
  database: Database,
  corridor: string,
  by: Officer,
): Promise<DecidedRolloutsJson> {
  await readSettledRollouts(database, by.request);
  const decision = await decideRollouts(database, async (log, query) => {
    await refuseStale({ query }, by.keyId);
    const rows = planRollback(log, await corridorsNamed({ query }, corridor));
    return { rows, proposalId: null, proposedBy: by.name, approvedBy: null, by };
  });
  return toDecided(decision);
}

async function findOpen(database: { query: Query }, id: string): Promise<StoredProposal> {
  const proposal = /^\d{1,18}$/.test(id) ? await findProposal(database, id) : undefined;
  if (proposal !== undefined) return proposal;
  throw new Failure('not-found', 'PROPOSAL_UNKNOWN', `there is no proposal '${id}'`);
}

/** The rows that a decision appended. */
const toDecided = ({ rows }: Decision): DecidedRolloutsJson => ({
  items: rows.map((row) => ({
    corridor: row.corridor,
    to: holdingText(row),
    cause: row.cause,
    model_id: row.subject,
  })),
});
