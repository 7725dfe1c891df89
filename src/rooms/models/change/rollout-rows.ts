/** Renders the states of models for people and for programs. */
import type { DecidedRolloutsJson } from '../../../core/domain/model-record.ts';
import type { Holding } from '../../../core/domain/model-rollout.ts';
import { holdingsIn } from '../../../core/score/rollout/rollout.ts';
import type {
  Decision,
  StoredProposal,
  StoredRollout,
} from '../../../core/store/models/model-rollouts.ts';

/** `canary:5` */
export function toText({ state, canaryPercent }: Holding): string {
  return state === 'canary' ? `canary:${canaryPercent}` : state;
}

/** Corridors by what the model does there, as `active US-EG; shadow US-IN, US-MX`, or `shadow all`. */
export function describeRollouts(
  log: readonly StoredRollout[],
  corridors: readonly string[],
  modelId: string,
): string {
  const byState = Map.groupBy(corridors, (corridor) => {
    const held = holdingsIn(log, corridor).get(modelId);
    return held === undefined ? 'staged' : toText(held);
  });
  if (byState.size === 1) return `${[...byState.keys()].join()} all`;
  return [...byState]
    .filter(([state]) => state !== 'staged')
    .map(([state, where]) => `${state} ${where.join(', ')}`)
    .join('; ');
}

/** Corridors in which a model is more than staged. */
export function toHoldingRows(
  log: readonly StoredRollout[],
  corridors: readonly string[],
  modelId: string,
) {
  return corridors.flatMap((corridor) => {
    const held = holdingsIn(log, corridor).get(modelId);
    if (held === undefined) return [];
    return [{ corridor, state: held.state, canary_percent: held.canaryPercent }];
  });
}

export function toRolloutRow(row: StoredRollout) {
  return {
    ...{ corridor: row.corridor, state: row.state, canary_percent: row.canaryPercent },
    ...{ cause: row.cause, proposal_id: row.proposalId },
    ...{ proposed_by: row.proposedBy, approved_by: row.approvedBy },
    reason: row.reason,
    ends_at: row.endsAt?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
  };
}

export function toProposalRow(proposal: StoredProposal) {
  return {
    ...{ proposal_id: proposal.proposalId, corridor: proposal.corridor, to: toText(proposal) },
    ...{ proposed_by: proposal.proposedBy, proposed_at: proposal.proposedAt.toISOString() },
  };
}

/** The rows that a decision appended. */
export function toDecidedRows({ rows }: Decision): DecidedRolloutsJson['items'] {
  return rows.map((row) => ({
    ...{ corridor: row.corridor, to: toText(row), cause: row.cause, model_id: row.modelId },
  }));
}
