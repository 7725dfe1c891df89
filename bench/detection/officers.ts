/** The commands of those who train a model and put it to work: two people, as the engine asks. */
import { insertPersonKey } from '../../test/support/people.ts';
import { sqlOf } from '../support/person.ts';
import type { Pipeline } from '../support/pipeline.ts';
import { runRisk } from './risk-command.ts';

export type Training = {
  /** `name@version`. */
  readonly model: string;
  /** Dates, inclusive, UTC. */
  readonly from: string;
  readonly to: string;
  readonly knownBy: string;
  /** A new folder. */
  readonly folder: string;
};

export type Trained = { readonly modelId: string; readonly seconds: number };

type Officers = {
  readonly train: (training: Training) => Promise<Trained>;
  /** An officer proposes, another approves. */
  readonly shadow: (model: string, corridor: string) => Promise<void>;
};

export async function openOfficers(pipeline: Pipeline): Promise<Officers> {
  const openOfficer = async (person: string) => {
    const sql = sqlOf(pipeline.services);
    const own = { RISK_API_KEY: await insertPersonKey({ sql }, person, ['risk_officer']) };
    return (...args: readonly string[]) => runRisk(pipeline, args, own);
  };
  const [proposer, approver] = [await openOfficer('proposer'), await openOfficer('approver')];
  return {
    async train({ model, from, to, knownBy, folder }) {
      const window = ['--from', from, '--to', to, '--known-by', knownBy];
      const out = ['--name', model, '--out', folder];
      const { answer, seconds } = await proposer('models', 'train', ...window, ...out);
      return { modelId: String(answer['model_id']), seconds };
    },
    async shadow(model, corridor) {
      const to = ['--corridor', corridor, '--to', 'shadow'];
      const { answer } = await proposer('models', 'promote', model, ...to);
      await approver('approvals', 'confirm', String(answer['approval_id']));
    },
  };
}

/** Probabilities of models in shadow whose names begin so, in the order of the scores; NaN: no such model judged. */
export async function readShadow(
  { services: { database } }: Pipeline,
  name: string,
  scores: readonly { readonly id: string }[],
): Promise<number[]> {
  const { rows } = await database.query<{ id: string; p: number }>(
    `select id, p from shadow_batches join models using (model_id), unnest(transaction_ids, probabilities) as s (id, p)
      where starts_with(model, $1)`,
    [name],
  );
  const byId = new Map(rows.map(({ id, p }) => [id, p]));
  return scores.map(({ id }) => byId.get(id) ?? Number.NaN);
}
