/**
 * `engine.json` of a data folder: who runs there and where its services and its API listen, so that the refusal
 * of a second engine names the first, and so that operators' commands find them unasked.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type EngineFile = {
  readonly pid: number;
  /** The member of each service and role is absent until it is ready. */
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  readonly apiUrl?: string;
  /** Where the worker answers `/livez`, `/readyz` and `/metrics`. */
  readonly workerUrl?: string;
};

const NAME = 'engine.json';
export const API_KEY = 'api-key';

/** @param urls of what is ready */
export function writeEngineFile(folder: string, urls: Omit<EngineFile, 'pid'>): void {
  const { pid } = process;
  const draft = join(folder, `.${NAME}-${pid}`);
  writeFileSync(draft, `${JSON.stringify({ pid, ...urls })}\n`, { mode: 0o600 });
  renameSync(draft, join(folder, NAME));
}

export function removeEngineFile(folder: string): void {
  rmSync(join(folder, NAME), { force: true });
}

/** Content of the file, when the process it names still lives. */
export function readEngineFile(folder: string): EngineFile | undefined {
  try {
    const engine: EngineFile = JSON.parse(readFileSync(join(folder, NAME), 'utf8'));
    process.kill(engine.pid, 0);
    return engine;
  } catch {
    return undefined;
  }
}

/** The key that `start` made for the API of the folder; undefined where it was given one. */
export function readOwnKey(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, API_KEY), 'utf8').trim();
  } catch {
    return undefined;
  }
}
