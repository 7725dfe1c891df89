/** Walks the main way with the engine's own processes. */
import { runRiskProcess, spawnRisk } from '../support/risk.ts';
import type { Means } from './main-way.ts';

const START_MS = 30_000;

export const PROCESSES: Means = {
  runApi: async (environment) => {
    const api = spawnRisk(['api'], environment);
    try {
      const [, url = ''] = await api.waitFor(/"url":"(https?:[^"]+)"/, START_MS);
      const stop = async () => {
        api.kill('SIGTERM');
        await api.exited;
      };
      return { url, stop };
    } catch (error) {
      await api[Symbol.asyncDispose]();
      throw error;
    }
  },
  startWorker: (environment) => {
    const worker = spawnRisk(['worker'], environment);
    return {
      [Symbol.asyncDispose]: async () => {
        worker.kill('SIGTERM');
        await worker.exited;
      },
    };
  },
  runRisk: runRiskProcess,
};
