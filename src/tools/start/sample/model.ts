/** Trains the model of the sample by `risk models train`, and proposes the model as a shadow for a second person to approve. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AskApi } from '../../../kit/client/api-client.ts';
import type { Environment } from '../../../kit/config/config.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ask as runProgram } from '../services/executable.ts';

export const MODEL = 'sample@1';
const DAY_MS = 86_400_000;
/** Days before now, of the sample's thirty: the model learns from the first seventeen and is judged on later ones. */
const WINDOWS = { from: 29, to: 13, 'validate-from': 12, 'validate-to': 1 };
const TRAIN_TIMEOUT_MS = 600_000;
const LAUNCHER = fileURLToPath(new URL('../../../../bin/risk', import.meta.url));

type Training = {
  /** The key of a risk officer. */
  readonly key: string;
  readonly databaseUrl: string;
  readonly environment: Environment;
  readonly nowMs: number;
  readonly signal: AbortSignal;
};

export async function isTrained(ask: AskApi): Promise<boolean> {
  try {
    await ask('GET /v1/models/{id}', { path: { id: MODEL } });
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === 'API_404') return false;
    throw error;
  }
}

/** @returns why training made no model, or undefined if it made one */
export async function trainModel(training: Training): Promise<string | undefined> {
  const { key, databaseUrl, nowMs, signal } = training;
  const windows = Object.entries(WINDOWS).flatMap(([option, ago]) => [
    `--${option}`,
    new Date(nowMs - ago * DAY_MS).toISOString().slice(0, 10),
  ]);
  // Training registers the model, so its files are deleted afterwards.
  const out = mkdtempSync(join(tmpdir(), 'risk-sample-'));
  const named = ['--known-by', new Date(nowMs).toISOString(), '--name', MODEL, '--out', out];
  const answer = await runProgram('/bin/sh', [LAUNCHER, 'models', 'train', ...windows, ...named], {
    environment: { ...training.environment, DATABASE_URL: databaseUrl, RISK_API_KEY: key },
    timeoutMs: TRAIN_TIMEOUT_MS,
    signal,
  });
  rmSync(out, { recursive: true, force: true });
  signal.throwIfAborted();
  return answer.ok ? undefined : (answer.stderr.trim().split('\n').at(-1) ?? '');
}

/** Proposes the model unless a proposal is open or was approved. A proposal lapses after 7 days, and the next start makes another. */
export async function proposeModel(ask: AskApi): Promise<void> {
  const path = { id: MODEL };
  const { proposals, rollouts } = await ask('GET /v1/models/{id}', { path });
  if (proposals.length + rollouts.length > 0) return;
  const body = { corridor: 'all', to: 'shadow' };
  await ask('POST /v1/models/{id}/proposals', { path, body });
}
