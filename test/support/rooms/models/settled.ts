/** Rollouts of models by SQL, without the steps before. */
import type { TestDatabase } from '../../database.ts';

/** Changes rows that the engine never changes. */
export async function changeRollouts(database: TestDatabase, text: string): Promise<void> {
  await database.sql(`
    alter table rollouts disable trigger user;
    alter table rollout_proposals disable trigger user;
    ${text};
    alter table rollouts enable trigger user;
    alter table rollout_proposals enable trigger user`);
}

/** Puts a model in force as if Ann, whose key is given, had proposed the model and Bob had approved it. */
export const settledBy =
  (key: string) =>
  (model: string, state: string, percent = 0, corridor = 'US-EG') =>
    `
  with proposal as (
    insert into rollout_proposals (model_id, corridor, state, canary_percent, proposed_by, proposed_by_key)
    select model_id, '${corridor}', '${state}', ${percent}, 'Ann', '${key.split('_')[1]}' from models where model = '${model}' returning *)
  insert into rollouts (corridor, model_id, state, canary_percent, cause, proposal_id, proposed_by, approved_by)
  select corridor, model_id, state, canary_percent, 'approval', proposal_id, proposed_by, 'Bob' from proposal`;
