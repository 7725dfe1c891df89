/** `risk models` in this process, by keys of different owners, and small model files to give it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import type { ProposedHolding } from '../../src/core/score/rollout/holding.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { checkFields } from '../../src/kit/http/body/body.ts';
import type { Role } from '../../src/kit/words/principal.ts';
import { readOfficer } from '../../src/rooms/models/commands/officer.ts';
import { command } from '../../src/rooms/models/commands.ts';
import { actAlone, proposeModel, rollBackModel } from '../../src/rooms/models/decide-models.ts';
import {
  newEmergencySchema,
  newProposalSchema,
  newRollbackSchema,
} from '../../src/rooms/models/model-record.ts';
import { listModelRows, readModelRow } from '../../src/rooms/models/queries/list-models.ts';
import { makeFile } from '../unit/rooms/models/model/xgboost-file.ts';
import { confirmIn } from './approvals.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { insertPersonKey } from './people.ts';
import { runCommand } from './run-command.ts';

// biome-ignore lint/suspicious/noExplicitAny: documents whose fields the tests assert
export type Answer = any;

/** @param given a database that its owner disposes; default: one of the rig's own */
export async function startModelsRig(given?: TestDatabase) {
  const testDatabase = given ?? (await createTestDatabase());
  const database = testDatabase.open({ connectionsMax: 4 });
  const folder = mkdtempSync(join(tmpdir(), 'risk-models-'));
  const run = (key: string | undefined, ...args: string[]) =>
    runCommand(
      command,
      { DATABASE_URL: testDatabase.url, ...(key === undefined ? {} : { RISK_API_KEY: key }) },
      args,
    );
  return {
    ...{ testDatabase, folder },
    /** Runs as the owner of a key; without one as nobody. Throws the command's error. */
    run: async (key: string | undefined, ...args: string[]) => {
      const asked = await askRoom(database, key, args);
      if (asked === undefined) return await run(key, ...args);
      return { code: 0, stdout: JSON.stringify(asked) };
    },
    /** Like `run`, with `--json`; returns the document. */
    json: async (key: string | undefined, ...args: string[]): Promise<Answer> =>
      (await askRoom(database, key, args)) ??
      JSON.parse((await run(key, ...args, '--json')).stdout),
    makeKey: (owner: string, roles: readonly Role[]) => insertPersonKey(testDatabase, owner, roles),
    /** Writes a file to a folder of the rig's own; returns its path. */
    write: (name: string, content: string | Uint8Array) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    [Symbol.asyncDispose]: async () => {
      rmSync(folder, { recursive: true });
      await database[Symbol.asyncDispose]();
      if (given === undefined) await testDatabase[Symbol.asyncDispose]();
    },
  };
}

/** Does the work of these actions' routes, without an API; undefined for an action that works on the database itself. */
async function askRoom(
  database: Database,
  key: string | undefined,
  [action = '', ...args]: string[],
): Promise<Answer> {
  const { values, positionals } = parseArgs({
    ...{ args, strict: false, allowPositionals: true },
    options: {
      ...{ corridor: { type: 'string' }, to: { type: 'string' } },
      ...{ reason: { type: 'string' }, override: { type: 'string' } },
    },
  });
  const [word = ''] = positionals;
  const by = () => readOfficer(database, key === undefined ? {} : { RISK_API_KEY: key }, action);
  const promotion = async <T extends { corridor: string; to: ProposedHolding }>(
    schema: z.ZodType<T>,
  ) => ({ ...checkFields(schema, values), reference: word, by: await by() });
  switch (action) {
    case 'list':
      return await listModelRows(database, '', 1000);
    case 'show':
      return await readModelRow(database, word);
    case 'promote':
      return await proposeModel(database, await promotion(newProposalSchema));
    case 'approve':
      return (await confirmIn(database, word, await by())).result?.['items'];
    case 'emergency': {
      const { reason, ...asked } = await promotion(newEmergencySchema);
      return await actAlone(database, asked, reason);
    }
    case 'rollback': {
      const { corridor } = checkFields(newRollbackSchema, values);
      return (await rollBackModel(database, corridor, await by())).items;
    }
    default:
      return undefined;
  }
}

/** An XGBoost file that reads features of the engine. @param mark makes its bytes its own */
export function modelFile(mark = 0) {
  const file = makeFile();
  file.learner.feature_names = ['amount', 'hour'];
  const [tree] = file.learner.gradient_booster.model.trees;
  if (tree !== undefined) tree.split_conditions[1] = -0.5 - mark / 64;
  return file;
}

/** XGBoost's file of trees that stand on the scorecard. @param splits by default on amount below 1, and else on the hour */
export function treesOnScorecard(splits = [1, 0, 2, 0, 0]): string {
  const file = modelFile(1);
  file.learner.feature_names = ['scorecard_margin', 'amount', 'hour'];
  file.learner.learner_model_param.num_feature = '3';
  for (const tree of file.learner.gradient_booster.model.trees) {
    tree.tree_param.num_feature = '3';
    tree.split_indices = splits;
  }
  return JSON.stringify(file);
}
