/** Rollouts of models by SQL, without the steps before. */
import type { TestDatabase } from '../../database.ts';

/** Changes rows that the engine never changes. */
export async function changeRollouts(database: TestDatabase, text: string): Promise<void> {
  await database.sql(`
    alter table rollouts disable trigger user;
    alter table approvals disable trigger user;
    ${text};
    alter table rollouts enable trigger user;
    alter table approvals enable trigger user`);
}

/** Puts a model in force as if Ann, whose key is given, had proposed the model and Bob had confirmed it. */
export const settledBy =
  (key: string) =>
  (model: string, state: string, percent = 0, corridor = 'US-EG') =>
    `
  with approval as (
    insert into approvals (kind, subject, detail, proposed_by, proposed_by_key, ends_at, withdrawn_by, withdrawn_at)
    values ('model-rollout', '${model} ${corridor}', '{}', 'Ann', '${key.split('_')[1]}', now(), 'Bob', now()) returning *)
  insert into rollouts (corridor, model_id, state, canary_percent, cause, approval_id, proposed_by)
  select '${corridor}', model_id, '${state}', ${percent}, 'approval', approval_id, proposed_by from approval, models where model = '${model}'`;
