/**
 * docker-compose.yml against dclint, which knows the specification and
 * its common faults, and against what the engine promises. No container engine is needed.
 */
import { DCLinter } from 'dclint';
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/kit/config/config.ts';
import { countConnections } from '../../../src/kit/database/open-database.ts';
import { ROOT, readCompose, readText, withDefaults } from './ship-files.ts';

const compose = readCompose();
const services = Object.entries(compose.services);
const OURS = ['migrate', 'api', 'worker', 'trainer'];

/** Rules about order and quotes are style. The port rule does not read a variable's default. */
const TASTE = [
  'no-unbound-port-interfaces',
  'no-build-and-image',
  'service-keys-order',
  'services-alphabetical-order',
  'top-level-properties-order',
  'service-dependencies-alphabetical-order',
  'no-quotes-in-volumes',
];

it('docker-compose.yml has no fault that dclint finds', () => {
  const linter = new DCLinter({
    rules: Object.fromEntries(TASTE.map((rule) => [rule, 0])),
    quiet: true,
    debug: false,
    exclude: [],
  });
  const [result] = linter.lintFiles([`${ROOT}docker-compose.yml`], false);
  expect(result?.messages).toEqual([]);
});

it('docker-compose.yml migrates once, after Postgres is healthy and before the roles', () => {
  expect(compose.services['migrate']?.depends_on?.['postgres']?.condition).toBe('service_healthy');
  for (const role of ['api', 'worker', 'trainer']) {
    expect(compose.services[role]?.depends_on?.['migrate']?.condition).toBe(
      'service_completed_successfully',
    );
  }
});

it('docker-compose.yml lets the worker be scaled: no fixed name, no port of the host', () => {
  expect(compose.services['worker']).toBeDefined();
  expect(compose.services['worker']?.container_name).toBeUndefined();
  expect(compose.services['worker']?.ports).toBeUndefined();
});

it('docker-compose.yml publishes one port, on this machine only unless told otherwise, and Grafana', () => {
  const published = services.flatMap(([, { ports = [], profiles = [] }]) =>
    ports.map((one) => [...profiles, withDefaults(one)]),
  );
  expect(published).toEqual([['127.0.0.1:8080:8080'], ['monitoring', '127.0.0.1:3000:3000']]);
});

it('docker-compose.yml keeps each of our processes within 0.5 CPU and 256 MB, a worker and a trainer within 384', () => {
  for (const role of OURS) {
    expect(compose.services[role]?.deploy?.resources?.limits).toEqual({
      cpus: '0.5',
      memory: role === 'worker' || role === 'trainer' ? '384M' : '256M',
    });
  }
});

it('docker-compose.yml gives a drain more time than it may take', () => {
  const settings = readConfig({});
  if (!('config' in settings)) throw new Error('the defaults must be valid');
  for (const role of OURS) {
    const graceSeconds = Number(compose.services[role]?.stop_grace_period?.replace('s', ''));
    const { RISK_SHUTDOWN_GRACE_MS, RISK_SHUTDOWN_TIMEOUT_MS } = settings.config;
    expect(graceSeconds * 1000).toBeGreaterThan(RISK_SHUTDOWN_GRACE_MS + RISK_SHUTDOWN_TIMEOUT_MS);
  }
});

it('docker-compose.yml starts Redis that never evicts, persists every second and stays within 256 MB', () => {
  const command = compose.services['redis']?.command?.join(' ');
  expect(command).toContain('--maxmemory-policy noeviction');
  expect(command).toContain('--maxmemory 256mb');
  expect(command).toContain('--appendonly yes --appendfsync everysec');
  expect(command).toContain('--auto-aof-rewrite-min-size 512mb --rdbcompression no');
});

it('docker-compose.yml refuses to start without a password for Postgres and one for Redis', () => {
  const secrets = [...readText('docker-compose.yml').matchAll(/\$\{([A-Z]+_PASSWORD)([^}]*)\}/g)];
  expect(new Set(secrets.map(([, name]) => name))).toEqual(
    new Set(['POSTGRES_PASSWORD', 'REDIS_PASSWORD']),
  );
  expect(secrets.filter(([, , rule]) => rule?.startsWith(':?') !== true)).toEqual([]);
  expect(compose.services['redis']?.command).toContain('--requirepass');
});

it('docker-compose.yml mounts the volume where the image of Postgres 18 keeps its data', () => {
  expect(compose.services['postgres']?.image).toBe('postgres:18');
  expect(compose.services['postgres']?.volumes).toEqual(['postgres-data:/var/lib/postgresql']);
});

it('docker-compose.yml keeps what the engine writes outside Postgres in a volume, as the root is only read', () => {
  const keys = '/var/lib/risk/privacy.keys';
  for (const role of OURS) {
    const { read_only: isReadOnly, volumes, environment = {} } = compose.services[role] ?? {};
    expect([isReadOnly, volumes]).toEqual([true, ['risk-files:/var/lib/risk']]);
    const written = ['RISK_EVIDENCE_FOLDER', 'RISK_ERASURE_LEDGER'].map((name) =>
      withDefaults(String(environment[name]), { RISK_PRIVACY_KEYS: keys }),
    );
    expect(written).toEqual(['/var/lib/risk/evidence', '/var/lib/risk/erasures']);
  }
  expect(readText('Dockerfile')).toContain('/var/lib/risk\nUSER node');
});

it('docker-compose.yml fits 70 % of the connections of Postgres with one API, five workers and a trainer', () => {
  const connections = (role: 'api' | 'worker' | 'trainer') => {
    const given = compose.services[role]?.environment ?? {};
    const pairs = Object.entries(given).map(
      ([name, value]) => [name, withDefaults(String(value))] as const,
    );
    const settings = readConfig(Object.fromEntries(pairs));
    if (!('config' in settings)) throw new Error('the environment must be valid');
    return countConnections(settings.config)[role];
  };
  const max = /max_connections=(\d+)/.exec(compose.services['postgres']?.command?.join(' ') ?? '');
  const [api, worker, trainer] = [
    connections('api'),
    connections('worker'),
    connections('trainer'),
  ];
  expect([api, worker, trainer]).toEqual([19, 7, 3]);
  expect(api + 5 * worker + trainer).toBeLessThan(Number(max?.[1]) * 0.7);
});
