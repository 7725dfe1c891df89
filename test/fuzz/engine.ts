/** The engine that foreign clients ask: `risk start` with its sample, in a folder of its own, and a key of a person with every role. */
import { join } from 'node:path';
import { marketUrl } from '../../bench/support/market.ts';
import { sumMetric } from '../../bench/support/metrics.ts';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { ROLES } from '../../src/kit/words/principal.ts';
import { readEngineFile } from '../../src/tools/start/services/engine-file.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { insertPersonKey } from '../support/people.ts';
import { spawnRisk } from '../support/risk.ts';
import { askPostgres } from '../support/standby.ts';

const TRANSACTIONS = 3000;
const START_MS = 300_000;
/** Comes when labels, people, a model and decided cases are there. */
const FILLED = /Sample Ben \(commands/;
const SERVER_ERRORS = ['500', '501', '502', '503', '504', '505'];

export type Counts = { readonly requests: number; readonly serverErrors: number };
export type FuzzedEngine = Awaited<ReturnType<typeof startEngine>>;

export async function startEngine() {
  await using opened = new AsyncDisposableStack();
  const { path } = opened.use(await makeRunFolder('risk-fuzz'));
  const data = join(path, 'data');
  const environment = { RISK_DATA_DIR: data, PORT: String(await freePort()) };
  const started = opened.use(
    spawnRisk(['start', '--transactions', `${TRANSACTIONS}`], environment),
  );
  opened.defer(async () => {
    started.kill('SIGTERM');
    await started.exited;
  });
  await started.waitFor(FILLED, START_MS);
  const { apiUrl: url, databaseUrl } = readEngineFile(data) ?? {};
  if (!url || !databaseUrl) throw new Error(`the engine has ended: ${started.stderr()}`);
  const sql = <Row extends object>(text: string, values: readonly unknown[] = []) =>
    askPostgres<Row>(marketUrl(databaseUrl), text, [...values]);
  const key = await insertPersonKey({ sql }, 'Fuzz', ROLES);
  // The market is started by another person than the one who stopped it.
  const otherKey = await insertPersonKey({ sql }, 'Fuzz too', ROLES);
  /** Requests that the API process has answered since its start. */
  const count = async (): Promise<Counts> => {
    const answer = await fetch(`${url}/metrics`, { headers: { Authorization: `Bearer ${key}` } });
    const text = await answer.text();
    const sum = (labels = {}) =>
      sumMetric(text, 'risk_http_request_duration_seconds_count', labels);
    const serverErrors = SERVER_ERRORS.reduce((all, status) => all + sum({ status }), 0);
    return { requests: sum(), serverErrors };
  };
  /** Starts again what requests have stopped: refusals of a stopped scope are no server errors. */
  const startScopes = async (): Promise<void> => {
    const headers = { Authorization: `Bearer ${otherKey}`, 'Content-Type': 'application/json' };
    const listed = await fetch(`${url}/v1/controls`, { headers });
    const { items } = (await listed.json()) as {
      items: readonly { kind: string; scope: string }[];
    };
    for (const { kind, scope } of items) {
      const body = JSON.stringify({ in_force: false, reason: 'the next piece begins' });
      const path = `/v1/controls/${kind}/${encodeURIComponent(scope)}`;
      const answer = await fetch(`${url}${path}`, { method: 'PUT', headers, body });
      if (!answer.ok) throw new Error(`${kind} of ${scope} is not ended: ${await answer.text()}`);
    }
  };
  const owned = opened.move();
  return {
    ...{ url, key, count, startScopes, logFile: join(data, 'logs', 'api.log') },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
