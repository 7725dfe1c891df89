/** Decisions of people about models, by command or API. Every function throws a Failure for what may not be done now. */
import { MODEL } from '../../core/domain/corridor.ts';
import { POLICY_FORMAT } from '../../core/domain/policy.ts';
import { lockControl } from '../../core/store/controls/controls.ts';
import * as rollouts from '../../core/store/rollouts/decide-rollout.ts';
import { MODELS } from '../../core/store/rollouts/rollouts.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Officer } from '../../kit/words/principal.ts';
import { loadModel } from './registry/scoring-model.ts';
import { findKnown } from './store/models.ts';

/** `reference`: SHA-256 or `name@version`. */
type Promotion = Omit<rollouts.Promotion, 'subject' | 'name'> & { readonly reference: string };

export const refusePolicy = (why: string) => new Failure('conflict', 'POLICY_REFUSED', why);

/** Nobody ends the policy until the end of the database transaction; undefined where the policy is not in force. */
export const lockPolicy = (query: Query, name: string) =>
  lockControl(query, 'scorecard', MODEL + name);

/**
 * @param under name of the policy that something needs; null: it needs none
 * @throws Failure where the policy is not in force
 */
async function requireUnder(query: Query, under: string | null): Promise<void> {
  if (under === null || (await lockPolicy(query, under))) return;
  throw refusePolicy(`${under} is not in force: propose a new policy`);
}

export async function proposeModel(
  database: Database,
  { reference, ...asked }: Promotion,
): Promise<Approval> {
  const { model_id: subject, model: name, format } = await findKnown(database, reference);
  await requireUnder(database.query, format === POLICY_FORMAT ? name : null);
  return await rollouts.proposeRollout(MODELS, database, { subject, name, ...asked });
}

/** Puts a model in force that two people want. The running build may differ from the build that imported the model. */
export const executeModel = rollouts.executeRollout(MODELS, async (query, subject) => {
  const { under } = await loadModel({ query }, subject);
  await requireUnder(query, under);
});

/** Puts a model in force for a day, and proposes what another person may confirm. */
export async function actAlone(
  database: Database,
  { reference, ...asked }: Promotion,
  reason: string,
) {
  const { model_id: subject, model: name, format } = await findKnown(database, reference);
  if (format === POLICY_FORMAT) throw refusePolicy('a policy takes two people: propose its stage');
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
