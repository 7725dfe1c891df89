/**
 * Two releases: the engine as of the last commit that edits the baseline of the schema, and a made-up release after the engine under
 * test, with a second migration and stream entries of another version.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ENTRY_VERSION } from '../../../src/core/stream/entries/entry.ts';
import { copyEngineTo, ENGINE_PARTS, mutate } from '../../chaos/support/mutations.ts';
import { NotRun } from '../../chaos/support/not-run.ts';
import { REPOSITORY } from '../../support/risk.ts';

/** Launchers, bin/risk, of two releases. */
export type Releases = { readonly older: string; readonly newer: string };

/** Entry version of the made-up release. */
export const NEWER_VERSION = '77';
const ENTRIES = 'src/core/stream/entries/entry.ts';
const BASELINE = 'sql/0001_market.sql';
export const MIGRATION = '0002_make_drill.sql';
/** A step of each kind, on tables that are written meanwhile. */
export const MIGRATION_TEXT = `-- A made-up migration. Locks transactions and each of its partitions for a moment.
-- transaction: a column that the older release does not write
alter table transactions add column drilled boolean;
-- concurrently: an index of the partitioned table
create index concurrently transactions_drilled_idx on transactions (drilled, created_at) where drilled;
-- step: a table that fills in parts
do $$
begin
  create table if not exists drill_parts (part integer primary key);
  alter table drill_parts enable row level security;
  commit;
  insert into drill_parts select * from generate_series(1, 3) on conflict do nothing;
  commit;
end $$;
-- transaction: its comment
comment on table drill_parts is 'Made by a drill.';
`;

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const run = async (program: string, args: readonly string[]) =>
  (await promisify(execFile)(program, args, { cwd: REPOSITORY, maxBuffer: OUTPUT_BYTES_MAX }))
    .stdout;

type Packages = { readonly dependencies: Readonly<Record<string, string>> };

/** @param launcher of the engine under test */
export async function openReleases(folder: string, launcher: string): Promise<Releases> {
  const older = await unpackOlder(join(folder, 'older'));
  return { older, newer: makeNewer(join(folder, 'newer'), launcher) };
}

function makeNewer(root: string, launcher: string): string {
  copyEngineTo(root, dirname(dirname(launcher)));
  writeFileSync(join(root, 'sql', MIGRATION), MIGRATION_TEXT);
  const find = `ENTRY_VERSION: string = '${ENTRY_VERSION}';`;
  const replace = `ENTRY_VERSION: string = '${NEWER_VERSION}';`;
  const entries = readFileSync(join(root, ENTRIES), 'utf8');
  writeFileSync(join(root, ENTRIES), mutate(entries, { file: ENTRIES, find, replace }));
  return join(root, 'bin', 'risk');
}

async function unpackOlder(root: string): Promise<string> {
  const archive = `${root}.tar`;
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

/** A database that an earlier text of the baseline made is of no use to the engine under test. */
async function findCommit(): Promise<string> {
  const commit = await run('git', ['log', '-1', '--format=%H', '--', BASELINE]).catch(() => '');
  if (commit !== '') return commit.trim();
  throw new NotRun(`this clone has no commit that edits ${BASELINE}: git fetch --unshallow`);
}

/** Whether each package that it needs is installed here in the same version. */
function hasOurPackages(root: string): boolean {
  const [theirs, ours] = [root, REPOSITORY].map(
    (from): Packages => JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')),
  );
  const packages = Object.entries(theirs?.dependencies ?? {});
  return packages.every(([name, version]) => ours?.dependencies[name] === version);
}
