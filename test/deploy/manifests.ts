/** The manifests of deploy/kubernetes as data, and what the vendored schemas refuse in them. */
import { readdirSync } from 'node:fs';
import { Ajv } from 'ajv';
import { parseAllDocuments } from 'yaml';
import { ROOT, readText } from '../unit/ship/ship-files.ts';
import schemas from './schemas/kubernetes.json' with { type: 'json' };

export const FOLDER = 'deploy/kubernetes/base';

// biome-ignore lint/suspicious/noExplicitAny: the schema of its kind has checked a manifest before anything reads a field
export type Manifest = any;

/** Definitions by API version and kind. */
const DEFINITIONS: Readonly<Record<string, string>> = {
  'apps/v1 Deployment': 'deployment-apps-v1',
  'batch/v1 Job': 'job-batch-v1',
  'v1 Service': 'service-v1',
  'autoscaling/v2 HorizontalPodAutoscaler': 'horizontalpodautoscaler-autoscaling-v2',
  'policy/v1 PodDisruptionBudget': 'poddisruptionbudget-policy-v1',
  'networking.k8s.io/v1 NetworkPolicy': 'networkpolicy-networking-v1',
  'keda.sh/v1alpha1 ScaledObject': 'scaledobject-keda-v1alpha1',
};

export function readDocuments(path: string): Manifest[] {
  return parseAllDocuments(readText(path)).map((document) => document.toJS());
}

const isYaml = (name: string) => name.endsWith('.yaml');
const filesOf = (folder: string) =>
  readdirSync(`${ROOT}${folder}`).filter((name) => isYaml(name) && name !== 'kustomization.yaml');

/** All manifests of a folder, whether the kustomization lists their files or not. */
export const readManifests = (folder = FOLDER): Manifest[] =>
  filesOf(folder).flatMap((name) => readDocuments(`${folder}/${name}`));

/** Files that a kustomization does not list, and files it lists that are not there. */
export function unlisted(folder: string): string[] {
  const [{ resources }] = readDocuments(`${folder}/kustomization.yaml`);
  const listed: string[] = resources.filter(isYaml);
  const files = filesOf(folder);
  return [
    ...files.filter((name) => !listed.includes(name)),
    ...listed.filter((name) => !files.includes(name)),
  ];
}

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addSchema(schemas, 'kubernetes');

/** Unknown fields and wrong types, by path. */
export function problemsOf(manifest: Manifest): string[] {
  const kind = `${manifest.apiVersion} ${manifest.kind}`;
  const name = DEFINITIONS[kind];
  if (name === undefined) return [`${kind}: no schema is vendored`];
  const validate = ajv.getSchema(`kubernetes#/definitions/${name}`);
  if (validate === undefined) throw new Error(`${name} is missing in the schemas`);
  if (validate(manifest) === true) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${kind}${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
