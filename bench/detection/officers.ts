/** The commands of those who train a model and put it to work: two people, as the engine asks. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Pipeline } from '../support/pipeline.ts';
import { LAUNCHER } from '../support/services.ts';

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

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

type Json = Readonly<Record<string, unknown>>;

export async function openOfficers({ services, api, apiKey }: Pipeline): Promise<Officers> {
  const risk = async (key: string, ...args: string[]): Promise<Json> => {
    const env = {
      PATH: process.env['PATH'],
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl,
      RISK_URL: api.url,
      RISK_API_KEY: key,
    };
    const { stdout } = await promisify(execFile)('/bin/sh', [LAUNCHER, ...args, '--json'], {
      env,
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return JSON.parse(stdout) as Json;
  };
  const keyOf = async (person: string) => {
    const made = await risk(
      apiKey,
      'keys',
      'create',
      '--role',
      'risk_officer',
      '--identity',
      person,
    );
    return String(made['key']);
  };
  const [proposer, approver] = [await keyOf('proposer'), await keyOf('approver')];
  return {
    async train({ model, from, to, knownBy, folder }) {
      const started = performance.now();
      const window = ['--from', from, '--to', to, '--known-by', knownBy];
      const trained = await risk(
        proposer,
        'models',
        'train',
        ...window,
        '--name',
        model,
        '--out',
        folder,
      );
      return {
        modelId: String(trained['model_id']),
        seconds: (performance.now() - started) / 1000,
      };
    },
    async shadow(model, corridor) {
      const to = ['--corridor', corridor, '--to', 'shadow'];
      const { approval_id: id } = await risk(proposer, 'models', 'promote', model, ...to);
      await risk(approver, 'approvals', 'confirm', String(id));
    },
  };
}
