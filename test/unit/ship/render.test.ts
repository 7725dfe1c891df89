/**
 * render.yaml: no schema of it can be installed, so the keys that we use are checked one by one
 * against what Render documents for them.
 */
import { expect, it } from 'vitest';
import { readConfig } from '../../../src/kit/config/config.ts';
import { type RenderService, readCompose, readRender } from './ship-files.ts';

const render = readRender();
const byName = (name: string) => {
  const service = render.services.find((candidate) => candidate.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return service;
};
const api = byName('risk-api');
const worker = byName('risk-worker');
const trainer = byName('risk-trainer');
const redis = byName('risk-redis');
const variables = (service: RenderService) =>
  new Map((service.envVars ?? []).map((variable) => [variable.key ?? '', variable]));

const SERVICE_KEYS = new Set([
  'type',
  'name',
  'runtime',
  'plan',
  'region',
  'dockerCommand',
  'preDeployCommand',
  'healthCheckPath',
  'maxShutdownDelaySeconds',
  'maxmemoryPolicy',
  'ipAllowList',
  'envVars',
]);

it('render.yaml uses only keys that we know', () => {
  expect(Object.keys(render).toSorted()).toEqual(['databases', 'envVarGroups', 'services']);
  for (const service of render.services) {
    for (const key of Object.keys(service)) expect(SERVICE_KEYS, key).toContain(key);
  }
});

it('render.yaml runs the commands of docker-compose.yml, and migrates before a deploy in the API only', () => {
  const { services } = readCompose();
  expect(api.dockerCommand?.split(' ')).toEqual(services['api']?.command);
  expect(worker.dockerCommand?.split(' ')).toEqual(services['worker']?.command);
  expect(trainer.dockerCommand?.split(' ')).toEqual(services['trainer']?.command);
  expect(api.preDeployCommand?.split(' ')).toEqual(services['migrate']?.command);
  expect(worker.preDeployCommand).toBeUndefined();
});

it('render.yaml keeps queued work: the policy is noeviction', () => {
  expect(redis.maxmemoryPolicy).toBe('noeviction');
});

it('render.yaml closes Postgres and Redis to the internet', () => {
  expect(redis.ipAllowList).toEqual([]);
  expect(render.databases[0]?.['ipAllowList']).toEqual([]);
});

it('render.yaml wires the roles to the same Postgres and Redis', () => {
  for (const service of [api, worker, trainer]) {
    const given = variables(service);
    expect(given.get('DATABASE_URL')?.fromDatabase).toEqual({
      name: render.databases[0]?.['name'],
      property: 'connectionString',
    });
    if (service === trainer) continue;
    expect(given.get('REDIS_URL')?.fromService).toEqual({
      type: 'keyvalue',
      name: redis.name,
      property: 'connectionString',
    });
  }
});

it('render.yaml generates the bootstrap key for the API alone and writes no secret down', () => {
  expect(variables(api).get('RISK_BOOTSTRAP_KEY')).toEqual({
    key: 'RISK_BOOTSTRAP_KEY',
    generateValue: true,
  });
  expect(variables(worker).has('RISK_BOOTSTRAP_KEY')).toBe(false);
});

it('render.yaml leaves the port to Render and a drain its time', () => {
  expect(variables(api).has('PORT')).toBe(false);
  const settings = readConfig({});
  if (!('config' in settings)) throw new Error('the defaults must be valid');
  const { RISK_SHUTDOWN_GRACE_MS: graceMs, RISK_SHUTDOWN_TIMEOUT_MS: drainMs } = settings.config;
  for (const [service, ms] of [
    [api, graceMs + drainMs],
    [worker, drainMs],
    [trainer, drainMs],
  ] as const)
    expect((service.maxShutdownDelaySeconds ?? 0) * 1000).toBeGreaterThan(ms);
});

it('render.yaml gives values that the configuration accepts', () => {
  for (const service of [api, worker, trainer]) {
    const literal = [...variables(service).values()]
      .filter(({ value }) => value !== undefined)
      .map(({ key, value }) => [key, String(value)] as const);
    const settings = readConfig(Object.fromEntries(literal));
    expect('problems' in settings ? settings.problems : []).toEqual([]);
  }
});
