/**
 * Kubernetes' own programs, built once of their Go module into the cache of this user. The module names its parts by paths of its
 * repository, which the module does not contain; each part is a module of its own, with the same release as v0.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cache, fetchBy, need } from '../fuzz/programs.ts';

const RELEASE = '30.14';
const KEDA = 'github.com/kedacore/keda/v2@v2.14.1';
const PROGRAMS = ['kube-apiserver', 'kube-controller-manager', 'kubectl'];
const SETTINGS = { GOWORK: 'off', GOFLAGS: '-mod=mod' };

/** @returns the folder of a module's files */
async function fetchModule(module: string): Promise<string> {
  const args = ['mod', 'download', '-json', module];
  const env = { ...process.env, ...SETTINGS };
  const { stdout } = await promisify(execFile)(need('go'), args, { cwd: '/', env });
  return JSON.parse(stdout).Dir;
}

/** @returns the file that defines KEDA's resource */
export const fetchKeda = async () =>
  join(await fetchModule(KEDA), 'config/crd/bases/keda.sh_scaledobjects.yaml');

/** @returns the folder of the programs. @throws NotRun without Go, or where the modules cannot be had */
export async function buildKubernetes(): Promise<string> {
  const folder = join(cache, `kubernetes-1.${RELEASE}`);
  if (PROGRAMS.every((name) => existsSync(join(folder, name)))) return folder;
  const source = join(folder, 'source');
  cpSync(await fetchModule(`k8s.io/kubernetes@v1.${RELEASE}`), source, { recursive: true });
  await promisify(execFile)('chmod', ['-R', 'u+w', source]);
  const file = join(source, 'go.mod');
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/=> \.\/staging|k8s\.io\/sample-/.test(line))
    .map((line) => line.replace(/(k8s\.io\/\S+) v0\.0\.0(?=$| \/\/)/, `$1 v0.${RELEASE}`));
  writeFileSync(file, lines.join('\n'));
  const packages = PROGRAMS.map((name) => `./cmd/${name}`);
  await fetchBy(need('go'), ['build', '-C', source, '-o', `${folder}/`, ...packages], SETTINGS);
  rmSync(source, { recursive: true });
  return folder;
}
