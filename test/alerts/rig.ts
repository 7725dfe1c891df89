/** A real engine, Prometheus and Alertmanager, with every time of the rules at a sixtieth. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { API_KEY, startEngine } from '../chaos/support/engine.ts';
import { startWithReplica } from '../setups/support/replica.ts';
import { prometheusFile } from '../support/alerts/prometheus.ts';
import { ruleFile } from '../support/alerts/rules.ts';
import { scaleTimes } from '../support/alerts/scale.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';
import { readText } from '../unit/ship/ship-files.ts';
import { receiveNotifications, watchAlerts } from './watch.ts';

export const FACTOR = 1 / 60;
export const POISONED = 'acc_poisoned';
const READY_MS = 20_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type Rig = Awaited<ReturnType<typeof startRig>>;

export async function startRig(signal: AbortSignal) {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await makeRunFolder('risk-alerts'));
  const logFolder = join(folder, 'logs');
  mkdirSync(logFolder, { mode: 0o777 });
  const launcher = join(ROOT, 'bin', 'risk');
  const services = opened.use(
    await startWithReplica({ folder, launcher, postgresSettings: {}, signal }),
  );
  const proxy = opened.use(await startTcpProxy(services.databaseUrl));
  const engine = opened.use(
    await startEngine({
      databaseUrl: proxy.url,
      redisUrl: services.redisUrl,
      launcher,
      environment: {
        ...services.engineEnvironment,
        RISK_CLAIM_IDLE_MS: '3000',
        RISK_RETRY_BASE_MS: '200',
        RISK_RECONCILE_AGE_MS: '1000',
        RISK_WATCH_EVERY_SECONDS: '3',
        RISK_WEBHOOK_LOOPBACK: 'allow',
        RISK_TEST_POISON: `throw:${POISONED}`,
      },
      apis: 1,
      workers: 1,
      logFolder,
      signal,
    }),
  );
  const [prometheusPort, alertmanagerPort, pagerPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const pager = opened.use(await receiveNotifications(pagerPort));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const run = async (name: string, port: number, args: readonly string[]) => {
    const log = openSync(join(logFolder, `${name}.log`), 'w');
    const child = spawn(name, [...args, `--web.listen-address=127.0.0.1:${port}`], {
      cwd: folder,
      stdio: ['ignore', log, log],
    });
    opened.defer(async () => {
      child.kill('SIGKILL');
    });
    const url = `http://127.0.0.1:${port}`;
    const isReady = async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok;
    await waitUntil(isReady, READY_MS, name);
    return url;
  };
  /** `increase` counts an event only behind a sample from before it. */
  const untilScraped = async (url: string, targets: number) => {
    const isScraped = async () => {
      const answer = await fetch(`${url}/api/v1/query?query=count(up == 1)`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return data.result[0]?.value[1] === `${targets}`;
    };
    await waitUntil(isScraped, READY_MS, 'a scrape of all processes');
  };
  const shipped = readText('deploy/alertmanager/alertmanager.yml');
  const receivers: unknown = parse(shipped.replaceAll('pager:9099', `127.0.0.1:${pagerPort}`));
  const routing = file('alertmanager.yml', stringify(scaleTimes(receivers, FACTOR)));
  await run('prometheus-alertmanager', alertmanagerPort, [
    `--config.file=${routing}`,
    `--storage.path=${join(folder, 'alertmanager')}`,
    '--cluster.listen-address=',
  ]);
  file('risk.rules.yml', stringify(ruleFile(FACTOR)));
  const hostOf = (name: string) => new URL(engine.process(name).url).host;
  const scrapes = prometheusFile({
    factor: FACTOR,
    ruleFile: 'risk.rules.yml',
    alertmanager: `127.0.0.1:${alertmanagerPort}`,
    apis: [hostOf('api-1')],
    workers: [hostOf('worker-1')],
    keyFile: file('key', API_KEY),
  });
  const prometheus = await run('prometheus', prometheusPort, [
    `--config.file=${file('prometheus.yml', stringify(scrapes))}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
  ]);
  await untilScraped(prometheus, 2);
  const over = new AbortController();
  opened.defer(() => over.abort());
  const watch = watchAlerts(prometheus, over.signal);
  const owned = opened.move();
  return {
    services,
    proxy,
    engine,
    pager,
    watch,
    prometheus,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
