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
