/** Decisions of people about models, by command or API. Every function throws a Failure for what may not be done now. */
import * as rollouts from '../../core/store/rollouts/decide-rollout.ts';
import { MODELS } from '../../core/store/rollouts/rollouts.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { loadModel } from './registry/scoring-model.ts';
import { findKnown } from './store/models.ts';

/** `reference`: SHA-256 or `name@version`. */
type Promotion = Omit<rollouts.Promotion, 'subject' | 'name'> & { readonly reference: string };

export async function proposeModel(
  database: Database,
  { reference, ...asked }: Promotion,
): Promise<Approval> {
  const { model_id: subject, model: name } = await findKnown(database, reference);
  return await rollouts.proposeRollout(MODELS, database, { subject, name, ...asked });
}

/** Puts a model in force that two people want. The running build may differ from the build that imported the model. */
export const executeModel = rollouts.executeRollout(MODELS, (query, subject) =>
  loadModel({ query }, subject),
);

/** Puts a model in force for a day, and proposes what another person may confirm. */
export async function actAlone(
  database: Database,
  { reference, ...asked }: Promotion,
  reason: string,
) {
  const { model_id: subject, model: name } = await findKnown(database, reference);
  // The running build may differ from the build that imported the model.
  await loadModel(database, subject);
  const promotion = { subject, name, ...asked };
  const { approvalId, rows } = await rollouts.actAlone(MODELS, database, promotion, reason);
  return { approval_id: approvalId ?? '', ...rollouts.decidedOf(MODELS, rows) };
}

export async function rollBackModel(database: Database, corridor: string, by: Officer) {
  const { rows } = await rollouts.rollBack(MODELS, database, corridor, by);
  return rollouts.decidedOf(MODELS, rows);
}
