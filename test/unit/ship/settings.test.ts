/** Each setting of the reference reaches each process through docker-compose.yml, deploy/kubernetes and render.yaml. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeSettings, readConfig } from '../../../src/kit/config/config.ts';
import { readManifests } from '../../deploy/manifests.ts';
import { readCompose, readRender, readText, withDefaults } from './ship-files.ts';

type Role = {
  readonly name: string;
  /** Takes settings that the file does not name. */
  readonly isOpen: boolean;
  /** Values that the file itself sets. */
  readonly fixed: readonly string[];
};

const PORTS = 'the file itself leads to the port';
const ADMIN = 'for commands and migrate alone';
const BOOTSTRAP = 'for the API and migrate alone';
const CONNECTIONS = 'differs by role: change the file';

/** Settings that some role cannot be given, with the reason. */
const LEFT_OUT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  compose: {
    HOST: PORTS,
    PORT: PORTS,
    RISK_WORKER_PORT: PORTS,
    DATABASE_URL: 'the file runs its own Postgres',
    REDIS_URL: 'the file runs its own Redis',
    RISK_EVIDENCE_FOLDER: 'nothing but the volume can be written',
    RISK_ERASURE_LEDGER: 'nothing but the volume can be written',
    RISK_ADMIN_DATABASE_URL: ADMIN,
    RISK_BOOTSTRAP_KEY: BOOTSTRAP,
  },
  kubernetes: {
    PORT: PORTS,
    RISK_WORKER_PORT: PORTS,
    RISK_DATABASE_CONNECTIONS_MAX: CONNECTIONS,
    RISK_BOOTSTRAP_KEY: BOOTSTRAP,
  },
  render: {
    DATABASE_URL: 'Render tells it',
    REDIS_URL: 'Render tells it',
    RISK_BOOTSTRAP_KEY: 'Render makes it',
    RISK_WORKER_PORT: PORTS,
    RISK_DATABASE_CONNECTIONS_MAX: CONNECTIONS,
  },
};

const OURS = ['migrate', 'api', 'worker', 'trainer'];
const { services } = readCompose();
const names = describeSettings().map(({ name }) => name);

function composeRoles(): Role[] {
  return OURS.map((name) => {
    const { env_file: files = [], environment = {} } = services[name] ?? {};
    const fixed = Object.entries(environment)
      .filter(([setting, value]) => !String(value).startsWith(`\${${setting}:-`))
      .map(([setting]) => setting);
    return { name, isOpen: files.some(({ path }) => path === '.env'), fixed };
  });
}

function kubernetesRoles(): Role[] {
  return readManifests().flatMap(({ kind, metadata, spec }) => {
    if (kind !== 'Deployment' && kind !== 'Job') return [];
    const { env = [], envFrom = [] } = spec.template.spec.containers[0];
    const sources = JSON.stringify(envFrom);
    const isOpen = ['"risk-settings"', '"risk-stores"'].every((name) => sources.includes(name));
    return [{ name: metadata.name, isOpen, fixed: env.map((one: { name: string }) => one.name) }];
  });
}

function renderRoles(): Role[] {
  return readRender()
    .services.filter(({ runtime }) => runtime === 'docker')
    .map(({ name, envVars = [] }) => ({
      name,
      isOpen: envVars.some(({ fromGroup }) => fromGroup === 'risk-settings'),
      fixed: envVars.flatMap(({ key }) => key ?? []),
    }));
}

describe.each([
  ['compose', composeRoles(), 4],
  ['kubernetes', kubernetesRoles(), 4],
  ['render', renderRoles(), 3],
] as const)('%s', (setUp, roles, count) => {
  it('passes each setting to each role, but for those that are left out for a reason', () => {
    expect(roles).toHaveLength(count);
    for (const { name, isOpen } of roles) expect([name, isOpen]).toEqual([name, true]);
    const fixed = names.filter((name) => roles.some((role) => role.fixed.includes(name)));
    expect(fixed.toSorted()).toEqual(Object.keys(LEFT_OUT[setUp] ?? {}).toSorted());
  });
});

it('docker-compose.yml hides from the engine what .env has for the file itself', () => {
  const text = readText('docker-compose.yml');
  const used = [...text.matchAll(/\$\{(RISK_\w+)/g)].map(([, name = '']) => name);
  const own = [...new Set(used)].filter((name) => !names.includes(name));
  expect(own).toEqual(['RISK_PUBLISH_ADDRESS', 'RISK_PUBLISH_PORT']);
  for (const role of OURS) {
    const given = Object.entries(services[role]?.environment ?? {});
    const set = given.map(([name, value]) => [name, withDefaults(String(value))] as const);
    const environment = [...own.map((name) => [name, '8081'] as const), ...set];
    expect(readConfig(Object.fromEntries(environment))).not.toHaveProperty('problems');
  }
});

it('render.yaml has the group that its services name', () => {
  const { envVarGroups: groups } = parse(readText('render.yaml'));
  expect(groups.map(({ name }: { name: string }) => name)).toEqual(['risk-settings']);
});
