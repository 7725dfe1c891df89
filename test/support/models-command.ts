/** `risk models` in this process, by keys of different owners, and small model files to give it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '../../src/kit/words/principal.ts';
import { command } from '../../src/rooms/models/commands.ts';
import { makeFile } from '../unit/rooms/models/model/formats/xgboost-file.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { insertPersonKey } from './people.ts';
import { runCommand } from './run-command.ts';

export type ModelsRig = {
  readonly testDatabase: TestDatabase;
  /** Runs as the owner of a key; without one as nobody. Throws the command's error. */
  run(key: string | undefined, ...args: string[]): Promise<{ code: number; stdout: string }>;
  /** Like `run`, with `--json`; returns the document. */
  json(key: string | undefined, ...args: string[]): Promise<Answer>;
  makeKey(owner: string, roles: readonly Role[]): Promise<string>;
  /** Writes a file to a folder of the rig's own; returns its path. */
  write(name: string, content: string | Uint8Array): string;
  readonly folder: string;
  [Symbol.asyncDispose](): Promise<void>;
};
// biome-ignore lint/suspicious/noExplicitAny: documents whose fields the tests assert
export type Answer = any;

/** @param given a database that its owner disposes; default: one of the rig's own */
export async function startModelsRig(given?: TestDatabase): Promise<ModelsRig> {
  const testDatabase = given ?? (await createTestDatabase());
  const folder = mkdtempSync(join(tmpdir(), 'risk-models-'));
  const run: ModelsRig['run'] = (key, ...args) =>
    runCommand(
      command,
      { DATABASE_URL: testDatabase.url, ...(key === undefined ? {} : { RISK_API_KEY: key }) },
      args,
    );
  return {
    ...{ testDatabase, folder, run },
    json: async (key, ...args) => JSON.parse((await run(key, ...args, '--json')).stdout),
    makeKey: (owner, roles) => insertPersonKey(testDatabase, owner, roles),
    write: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
    [Symbol.asyncDispose]: async () => {
      rmSync(folder, { recursive: true });
      if (given === undefined) await testDatabase[Symbol.asyncDispose]();
    },
  };
}

/** An XGBoost file that reads features of the engine. @param mark makes its bytes its own */
export function modelFile(mark = 0) {
  const file = makeFile();
  file.learner.feature_names = ['amount', 'hour'];
  const [tree] = file.learner.gradient_booster.model.trees;
  if (tree !== undefined) tree.split_conditions[1] = -0.5 - mark / 64;
  return file;
}
