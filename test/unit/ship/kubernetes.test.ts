/**
 * The manifests of deploy/kubernetes against strict schemas of Kubernetes and KEDA, and against what the engine says of itself:
 * its settings, its routes, its metrics, its triggers, and the limits of docker-compose.yml.
 */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeSettings, readConfig } from '../../../src/kit/config/config.ts';
import { TRIGGERS, type Trigger } from '../../../src/rooms/operate/scaling/triggers.ts';
import {
  FOLDER,
  type Manifest,
  problemsOf,
  readDocuments,
  readManifests,
  unlisted,
} from '../../deploy/manifests.ts';
import { readCompose, readText } from './ship-files.ts';

const KEDA = 'deploy/kubernetes/keda';
const manifests = readManifests();
const [scaled] = readManifests(KEDA);
const find = (kind: string, name: string): Manifest => {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
};
const SCALED = ['api', 'worker'] as const;
const ROLES = [...SCALED, 'trainer'] as const;
const podOf = (role: string): Manifest =>
  find(role === 'migrate' ? 'Job' : 'Deployment', `risk-${role}`).spec.template.spec;
const containerOf = (role: string): Manifest => podOf(role).containers[0];
const valuesOf = (role: string): Record<string, string> =>
  Object.fromEntries(
    (containerOf(role).env ?? []).map(({ name, value }: Manifest) => [name, value]),
  );
const configOf = (role: string) => {
  const settings = readConfig(valuesOf(role));
  if ('problems' in settings) throw new Error(settings.problems.join('; '));
  return settings.config;
};
const thresholdOf = (name: Trigger['name']) => TRIGGERS.find((one) => one.name === name)?.threshold;

describe('deploy/kubernetes', () => {
  it.each([...manifests, scaled])(
    '$kind $metadata.name has no unknown field and no wrong type',
    (one) => {
      expect(problemsOf(one)).toEqual([]);
    },
  );

  it.each([FOLDER, KEDA])('%s lists each of its files', (folder) => {
    expect(unlisted(folder)).toEqual([]);
  });

  it('runs the commands of docker-compose.yml within its limits', () => {
    const { services } = readCompose();
    for (const role of ['migrate', ...ROLES]) {
      const { command, resources } = containerOf(role);
      expect(command).toEqual(services[role]?.command);
      const { cpus = '', memory = '' } = services[role]?.deploy?.resources?.limits ?? {};
      const limits = { cpu: `${Number(cpus) * 1000}m`, memory: memory.replace(/M$/, 'Mi') };
      const requests = { ...limits, memory: '256Mi', ...(role === 'trainer' && { cpu: '100m' }) };
      expect(resources).toEqual({ requests, limits });
    }
  });

  it.each(['migrate', ...ROLES])(
    '%s has an environment that the configuration accepts, and secrets from the Secret alone',
    (role) => {
      const names = new Set(describeSettings().map(({ name }) => name));
      for (const [name, value] of Object.entries(valuesOf(role))) {
        expect(names, name).toContain(name);
        if (/URL$|KEY$/.test(name)) expect(value, name).toBe('');
      }
      expect(configOf(role)).toBeDefined();
      // Names that a cluster gives to Services begin as settings do.
      expect(podOf(role).enableServiceLinks).toBe(false);
    },
  );

  it.each(ROLES)('%s is probed where it listens, on paths that exist', (role) => {
    const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(role);
    const config = configOf(role);
    expect(ports).toEqual([
      { name: 'http', containerPort: role === 'api' ? config.PORT : config.RISK_WORKER_PORT },
    ]);
    const routes = readText('src/main/http/health.ts');
    for (const [probe, path] of [
      [startupProbe, '/livez'],
      [livenessProbe, '/livez'],
      [readinessProbe, '/readyz'],
    ]) {
      expect(probe.httpGet).toEqual({ path, port: 'http' });
      expect(routes).toContain(`'${path}'`);
    }
  });

  it.each(ROLES)('%s has time to drain, and no right that it needs not', (role) => {
    const { terminationGracePeriodSeconds, securityContext, automountServiceAccountToken } =
      podOf(role);
    const { securityContext: own } = containerOf(role);
    const { RISK_SHUTDOWN_GRACE_MS, RISK_SHUTDOWN_TIMEOUT_MS } = configOf(role);
    const graceMs = role === 'api' ? RISK_SHUTDOWN_GRACE_MS : 0;
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(
      graceMs + RISK_SHUTDOWN_TIMEOUT_MS,
    );
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(automountServiceAccountToken).toBe(false);
    expect(own).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it.each(SCALED)(
    '%s scales from 2 to 10 at the share of the trigger, loses one pod at a time, and all select it',
    (role) => {
      const { scaleTargetRef, minReplicas, maxReplicas, metrics } = find(
        'HorizontalPodAutoscaler',
        `risk-${role}`,
      ).spec;
      expect([scaleTargetRef.name, minReplicas, maxReplicas]).toEqual([`risk-${role}`, 2, 10]);
      const share = (thresholdOf(role === 'api' ? 'BusyAPI' : 'BusyWorkers') ?? 0) * 100;
      expect(metrics[0].resource.target).toEqual({
        type: 'Utilization',
        averageUtilization: share,
      });
      const budget = find('PodDisruptionBudget', `risk-${role}`).spec;
      expect(budget.maxUnavailable).toBe(1);
      const labels = { 'app.kubernetes.io/name': `risk-${role}` };
      const deployment = find('Deployment', `risk-${role}`).spec;
      expect(deployment.template.metadata.labels).toEqual(labels);
      for (const selector of [
        deployment.selector,
        budget.selector,
        find('NetworkPolicy', `risk-${role}`).spec.podSelector,
      ])
        expect(selector.matchLabels).toEqual(labels);
    },
  );

  it('lets a worker reach the object store of checkpoints', () => {
    const { egress } = find('NetworkPolicy', 'risk-worker').spec;
    const ports = egress.flatMap((rule: Manifest) => rule.ports).map(({ port }: Manifest) => port);
    expect(ports).toContain(443);
  });
});

it('deploy/kubernetes/files mounts what its settings name, and what they write is no part of the image', () => {
  const [{ patches, resources }] = readDocuments('deploy/kubernetes/files/kustomization.yaml');
  expect(resources).toEqual(['../base']);
  const names = new Set(describeSettings().map(({ name }) => name));
  for (const [nth, role] of SCALED.entries()) {
    const patch = parse(patches[nth].patch);
    const pod = patch.spec.template.spec;
    const [{ name, env, volumeMounts }] = pod.containers;
    expect([patch.metadata.name, name]).toEqual([`risk-${role}`, role]);
    const { volumes, containers } = podOf(role);
    const mounts = [...containers[0].volumeMounts, ...volumeMounts];
    for (const { name, value } of env) {
      expect(names).toContain(name);
      const mount = mounts.find((one: Manifest) => value.startsWith(`${one.mountPath}/`));
      expect([name, mount?.readOnly === true]).toEqual([name, name.endsWith('KEYS')]);
    }
    const mounted = mounts.map((one: Manifest) => one.name);
    expect([...volumes, ...pod.volumes].map((one: Manifest) => one.name)).toEqual(mounted);
    // The user of the pod has to own what the claim holds.
    expect(pod.securityContext.fsGroup).toBe(podOf(role).securityContext.runAsUser);
    const patched = structuredClone(find('Deployment', `risk-${role}`));
    const spec = patched.spec.template.spec;
    Object.assign(spec, { volumes: pod.volumes });
    Object.assign(spec.securityContext, pod.securityContext);
    Object.assign(spec.containers[0], { volumeMounts });
    expect(problemsOf(patched)).toEqual([]);
  }
});

describe('deploy/kubernetes/keda', () => {
  const { triggers, minReplicaCount, maxReplicaCount, scaleTargetRef, fallback } = scaled.spec;
  const [backlog, age, processor] = triggers;

  it('scales by metrics that the engine has, at the thresholds of the triggers', () => {
    const reference = readText('docs/reference.md');
    for (const { metadata } of [backlog, age]) {
      const [, name] = /(risk_\w+)\{market="market_0"\}\[1m\]/.exec(metadata.query) ?? [];
      expect(reference).toContain(`\`${name}\``);
      // An absent figure is an error, at which the number of workers stays.
      expect(metadata.ignoreNullValues).toBe('false');
    }
    expect(backlog.metadata.threshold).toBe(String(thresholdOf('DeepQueue')));
    expect(age.metadata.threshold).toBe(String(thresholdOf('HighQueueAge')));
    expect(processor.metadata.value).toBe(String((thresholdOf('BusyWorkers') ?? 0) * 100));
  });

  it('never goes below the floor, and takes the place of the autoscaler it deletes', () => {
    expect([scaleTargetRef.name, minReplicaCount, maxReplicaCount]).toEqual(['risk-worker', 2, 10]);
    expect(fallback).toBeUndefined();
    const [{ patches, resources }] = readDocuments(`${KEDA}/kustomization.yaml`);
    // A base above its overlay would be a cycle.
    expect(resources).toEqual(['../base', 'worker.yaml']);
    expect(patches[0].patch).toContain(
      'kind: HorizontalPodAutoscaler\nmetadata:\n  name: risk-worker\n$patch: delete',
    );
  });
});
