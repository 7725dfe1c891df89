/** The registry of models and the decisions about it, bound to the database for the API. */
import type {
  DecidedRolloutsJson,
  EmergencyJson,
  NewEmergency,
  NewProposal,
  ProposalJson,
} from '../../../core/domain/model-record.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import { actAlone, approveRollout, proposeRollout, takeRolloutBack } from './decide-rollout.ts';
import { toDecidedRows, toText } from './rollout-rows.ts';
import { listModelRows, readModelRow } from './show-models.ts';

export type Registry = ReturnType<typeof createRegistry>;

/** Each function throws a Failure: `not-found`, or `conflict` for what may not be done now. */
export function createRegistry(database: Database) {
  return {
    listModels: (afterModel: string, limit: number) => listModelRows(database, afterModel, limit),
    readModel: (reference: string) => readModelRow(database, reference),
    async propose(
      reference: string,
      { corridor, to }: NewProposal,
      by: Officer,
    ): Promise<ProposalJson> {
      const promotion = { reference, corridor, to, by };
      const { proposalId } = await proposeRollout(database, promotion);
      return { proposal_id: proposalId, corridor, to: toText(to), proposed_by: by.name };
    },
    approve: async (proposalId: string, by: Officer): Promise<DecidedRolloutsJson> => ({
      items: toDecidedRows(await approveRollout(database, proposalId, by)),
    }),
    async actAlone(
      reference: string,
      { corridor, to, reason }: NewEmergency,
      by: Officer,
    ): Promise<EmergencyJson> {
      const decision = await actAlone(database, { reference, corridor, to, by }, reason);
      return { proposal_id: decision.proposalId, items: toDecidedRows(decision) };
    },
    rollBack: async (corridor: string, by: Officer): Promise<DecidedRolloutsJson> => ({
      items: toDecidedRows(await takeRolloutBack(database, corridor, by)),
    }),
  };
}
