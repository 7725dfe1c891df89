/** The engine as it was before its newest migration, from the history of this repository. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ENGINE_PARTS } from '../../chaos/support/mutations.ts';
import { NotRun } from '../../chaos/support/not-run.ts';
import { REPOSITORY } from '../../support/risk.ts';

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const run = async (program: string, args: readonly string[]) =>
  (await promisify(execFile)(program, args, { cwd: REPOSITORY, maxBuffer: OUTPUT_BYTES_MAX }))
    .stdout;

type Packages = { readonly dependencies: Readonly<Record<string, string>> };

/** @returns its bin/risk */
export async function unpackOlderEngine(folder: string): Promise<string> {
  const root = join(folder, 'older');
  const archive = join(folder, 'older.tar');
  mkdirSync(root);
  const commit = await findCommit();
  await run('git', ['archive', `--output=${archive}`, commit, ...ENGINE_PARTS]);
  await run('tar', ['--extract', `--file=${archive}`, `--directory=${root}`]);
  if (hasOurPackages(root)) {
    symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
    // Without this file bin/risk takes the packages that are there; with it, it installs those of the file.
    rmSync(join(root, 'package-lock.json'));
  }
  return join(root, 'bin', 'risk');
}

async function findCommit(): Promise<string> {
  const added = ['log', '-1', '--diff-filter=A', '--format=%P', '--', 'sql/*.sql'];
  const parents = await run('git', added).catch(() => '');
  const [commit = ''] = parents.trim().split(' ');
  if (commit !== '') return commit;
  throw new NotRun(
    'this clone has no history from before the newest migration: git fetch --unshallow',
  );
}

/** Whether each package that it needs is installed here in the same version. */
function hasOurPackages(root: string): boolean {
  const [theirs, ours] = [root, REPOSITORY].map(
    (from): Packages => JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')),
  );
  const packages = Object.entries(theirs?.dependencies ?? {});
  return packages.every(([name, version]) => ours?.dependencies[name] === version);
}
