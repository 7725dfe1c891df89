/** The other market: its processes on a processor of their own, its traffic, and its sessions for those who disturb it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGenerator } from '../../../bench/support/generator-process.ts';
import { askApi } from '../../chaos/support/ask.ts';
import type { Stage } from '../../chaos/support/scenario.ts';
import { pin } from './pin.ts';

export const NEIGHBOUR = 'market_1';
export const NEIGHBOUR_CORRIDORS = ['JP-KR', 'KR-JP'] as const;

export type NeighbourLoad = {
  /** Transactions a second; 0 is as fast as they are answered. */
  readonly rate: number;
  readonly batch: number;
  readonly corridor: string;
  readonly fraudRate: number;
};

export const USUAL_LOAD: NeighbourLoad = {
  rate: 300,
  batch: 20,
  corridor: NEIGHBOUR_CORRIDORS[0],
  fraudRate: 0.01,
};

const CONNECTIONS = 4;
const ACCOUNTS = 5000;
const MERCHANTS = 500;
const WORKER = 'neighbour-worker';
const API = 'neighbour-api';

export type Neighbour = Awaited<ReturnType<typeof openNeighbour>>;

/** Transactions, or seconds of a rate. */
export type Much = { readonly transactions: number } | { readonly seconds: number };

export async function openNeighbour(stage: Stage) {
  const { engine, signal } = stage;
  const environment = { RISK_MARKET: NEIGHBOUR };
  const folder = mkdtempSync(join(tmpdir(), 'risk-neighbour-'));
  let rounds = 0;
  const corridors = NEIGHBOUR_CORRIDORS.join(',');
  /** Makes its schema, with its corridors. */
  const migrate = () => engine.command(['migrate'], { ...environment, RISK_CORRIDORS: corridors });
  const start = async (
    role: 'api' | 'worker',
    name: string,
    more: Readonly<Record<string, string>> = {},
  ) => {
    const { pid } = await engine.start(role, name, { environment: { ...environment, ...more } });
    await pin(pid, 'neighbour');
  };
  await migrate();
  await start('api', API);
  await start('worker', WORKER);
  const api = () => engine.process(API);
  return {
    ...{ stage, migrate, api, worker: () => engine.process(WORKER) },
    startApi: () => start('api', API),
    /** Makes the market anew after a rollback; the API makes the key of requests as the API starts. */
    async create() {
      await engine.command(['markets', 'create', NEIGHBOUR, '--corridors', corridors], {});
      await engine.drain(API);
      await start('api', API);
    },
    startWorker: (more?: Readonly<Record<string, string>>) => start('worker', WORKER, more),
    killWorker: () => engine.kill(WORKER),
    drainWorker: async () => {
      await engine.drain(WORKER);
    },
    request: (method: 'PUT', path: string, body: object): Promise<void> =>
      askApi({ url: api().url, apiKey: engine.apiKey, signal }, method, path, body),
    /** Traffic that takes any answer. @returns what starts it; it resolves when all was answered */
    async traffic({ rate, batch, corridor, fraudRate }: NeighbourLoad, much: Much) {
      const seed = `neighbour-${rounds++}`;
      const seconds = 'seconds' in much ? much.seconds : undefined;
      const transactions = 'seconds' in much ? Math.ceil(rate * much.seconds) : much.transactions;
      const generator = await startGenerator(
        {
          ...{ host: '127.0.0.1', port: Number(new URL(api().url).port), live: true },
          ...{ connections: CONNECTIONS, requestsPerSecond: rate / batch, seconds },
          takesAnyAnswer: true,
          source: {
            ...{ kind: 'traffic', file: join(folder, seed), host: '127.0.0.1' },
            ...{ apiKey: engine.apiKey, batch, corridor },
            traffic: {
              ...{ transactions, accounts: ACCOUNTS, merchants: MERCHANTS, days: 1, seed },
              ...{ endMs: Date.now(), fraudRate },
            },
          },
        },
        signal,
      );
      await pin(generator.pid, 'neighbour');
      return () => generator.go().finally(() => generator[Symbol.dispose]());
    },
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
