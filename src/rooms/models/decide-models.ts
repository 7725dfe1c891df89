/** Decisions of people about models, by command or API. Every function throws a Failure for what may not be done now. */
import { holdingText } from '../../core/score/rollout/holding.ts';
import * as rollouts from '../../core/store/rollouts/decide-rollout.ts';
import { type Decision, MODELS } from '../../core/store/rollouts/rollouts.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Officer } from '../../kit/words/principal.ts';
import type { DecidedRolloutsJson, EmergencyJson, ProposalJson } from './model-record.ts';
import { loadModel } from './registry/scoring-model.ts';
import { findKnown } from './store/models.ts';

/** `reference`: SHA-256 or `name@version`. */
type Promotion = Omit<rollouts.Promotion, 'subject'> & { readonly reference: string };

export async function proposeModel(
  database: Database,
  { reference, ...asked }: Promotion,
): Promise<ProposalJson> {
  const { model_id: subject } = await findKnown(database, reference);
  const id = await rollouts.proposeRollout(MODELS, database, { subject, ...asked });
  const { corridor, to, override = null, by } = asked;
  return { proposal_id: id, corridor, to: holdingText(to), proposed_by: by.name, override };
}

export async function approveModel(
  database: Database,
  id: string,
  by: Officer,
): Promise<DecidedRolloutsJson> {
  const { subject } = await rollouts.findProposal(MODELS, database.query, id);
  // The running build may differ from the build that imported the model.
  await loadModel(database, subject);
  return toDecided(await rollouts.approveRollout(MODELS, database, id, by));
}

/** Puts a model in force for a day, and makes the proposal that another person may approve. */
export async function actAlone(
  database: Database,
  { reference, ...asked }: Promotion,
  reason: string,
): Promise<EmergencyJson> {
  const { model_id: subject } = await findKnown(database, reference);
  // The running build may differ from the build that imported the model.
  await loadModel(database, subject);
  const decision = await rollouts.actAlone(MODELS, database, { subject, ...asked }, reason);
  return { proposal_id: decision.proposalId ?? '', ...toDecided(decision) };
}

export async function rollBackModel(
  database: Database,
  corridor: string,
  by: Officer,
): Promise<DecidedRolloutsJson> {
  return toDecided(await rollouts.rollBack(MODELS, database, corridor, by));
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
