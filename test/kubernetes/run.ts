/**
 * `npm run kubernetes`: the shipped manifests at a real API server with strict validation, in a namespace that enforces the
 * restricted standard for pods; a controller manager makes their pods. No kubelet runs them: `npm run containers` runs the image.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createOutput } from '../../src/kit/command/output.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { NotRun } from '../chaos/support/not-run.ts';
import { need } from '../fuzz/programs.ts';
import { REPOSITORY } from '../support/risk.ts';
import { waitUntil } from '../support/wait-until.ts';
import { buildKubernetes, fetchKeda } from './build.ts';

/** Deployments with the pods that autoscaling or the manifest asks for. */
const PODS = { 'risk-api': 2, 'risk-worker': 2, 'risk-trainer': 1, 'risk-migrate': 1 };
const TOKEN = 'token-of-a-cluster-that-lives-for-a-minute';
const WAIT_MS = 90_000;

const output = createOutput({ json: false });
const folder = mkdtempSync(join(tmpdir(), 'risk-kubernetes-'));
const inFolder = (name: string, text = '') => {
  const path = join(folder, name);
  if (text !== '') writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const children: ChildProcess[] = [];

function start(program: string, flags: Readonly<Record<string, string>>): void {
  const log = openSync(inFolder(`${children.length}.log`), 'a');
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  children.push(spawn(program, args, { cwd: folder, stdio: ['ignore', log, log] }));
}

/** @returns a function that runs kubectl as the cluster's administrator */
async function startCluster(programs: string) {
  const [store, peers, port] = [await freePort(), await freePort(), await freePort()];
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = inFolder('accounts.key', `${privateKey.export({ type: 'pkcs1', format: 'pem' })}`);
  const certificates = inFolder('certificates');
  mkdirSync(certificates);
  const server = `https://127.0.0.1:${port}`;
  start(need('etcd'), {
    'data-dir': inFolder('etcd'),
    'listen-client-urls': `http://127.0.0.1:${store}`,
    'advertise-client-urls': `http://127.0.0.1:${store}`,
    'listen-peer-urls': `http://127.0.0.1:${peers}`,
  });
  start(join(programs, 'kube-apiserver'), {
    'etcd-servers': `http://127.0.0.1:${store}`,
    'bind-address': '127.0.0.1',
    'secure-port': `${port}`,
    'cert-dir': certificates,
    'service-account-issuer': server,
    'service-account-key-file': key,
    'service-account-signing-key-file': key,
    'service-cluster-ip-range': '10.0.0.0/24',
    'token-auth-file': inFolder('tokens', `${TOKEN},admin,admin,system:masters\n`),
    'authorization-mode': 'RBAC',
    'disable-admission-plugins': 'ServiceAccount',
  });
  const cluster = { server, 'certificate-authority': join(certificates, 'apiserver.crt') };
  const config = inFolder(
    'config',
    JSON.stringify({
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'own' },
      clusters: [{ name: 'own', cluster }],
      users: [{ name: 'admin', user: { token: TOKEN } }],
      contexts: [{ name: 'own', context: { cluster: 'own', user: 'admin' } }],
    }),
  );
  const kubectl = (...args: string[]): string =>
    execFileSync(join(programs, 'kubectl'), [`--kubeconfig=${config}`, ...args], {
      ...{ cwd: REPOSITORY, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    });
  const isReady = () => {
    try {
      return kubectl('get', '--raw', '/readyz') === 'ok';
    } catch {
      return false;
    }
  };
  await waitUntil(isReady, WAIT_MS, 'the API server');
  start(join(programs, 'kube-controller-manager'), {
    ...{ kubeconfig: config, 'leader-elect': 'false', 'secure-port': '0' },
  });
  return kubectl;
}

async function tryManifests(kubectl: (...args: string[]) => string): Promise<void> {
  const apply = (...args: string[]) =>
    kubectl('apply', '--validate=strict', '--server-side', '--force-conflicts', ...args);
  kubectl('create', 'namespace', 'risk');
  kubectl('label', 'namespace', 'risk', 'pod-security.kubernetes.io/enforce=restricted');
  kubectl('apply', '--server-side', '-f', await fetchKeda());
  for (const name of ['base', 'files', 'keda']) {
    const applied = apply('-k', join('deploy/kubernetes', name)).trim().split('\n').length;
    output.line(`${name.padEnd(6)} ${applied} objects are taken, each field known`);
    if (name !== 'base') continue;
    const count = (app: string) =>
      kubectl(...`-n risk get pods -o name -l app.kubernetes.io/name=${app}`.split(' ')).split(
        'pod/',
      ).length - 1;
    const areMade = () => Object.entries(PODS).every(([app, pods]) => count(app) >= pods);
    await waitUntil(areMade, WAIT_MS, 'the pods');
    output.line(`pods   ${Object.entries(PODS).flat().join(' ')}`);
  }
}

try {
  await tryManifests(await startCluster(await buildKubernetes()));
} catch (error) {
  output.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof NotRun && !process.env['CI'] ? 3 : 1;
} finally {
  for (const child of children.toReversed()) child.kill('SIGTERM');
  await Promise.all(
    children.map(
      (child) => child.exitCode ?? new Promise((resolve) => child.once('exit', resolve)),
    ),
  );
  rmSync(folder, { recursive: true });
}
