/**
 * The bare pipeline as it stood before the hot path was redesigned: program, tables and stream entries of one commit.
 * A pipeline that shared code with the engine would get faster with it, and a ratio of the two would hide the gain.
 * Its transactions get the indexes that the engine's have and the commit's lack, so that both write the same.
 */
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Client } from 'pg';
import { CURRENCIES } from '../../src/kit/words/currencies.ts';
import { Failure } from '../../src/kit/words/failure.ts';

const COMMIT = '6bd90eb975a84d1d041553a6543ffdd9e7cbd259';
/** The checkout gets no lockfile: it uses the packages of this repository. */
const PATHS = ['bin', 'src', 'sql', 'bench', 'package.json'];
const INDEXES = `alter table transactions add column inserted_xid xid8 not null default pg_current_xact_id();
create index on transactions (inserted_xid);
create index on transactions (device_id, created_at) where device_id is not null;
create index on transactions (ip, created_at) where ip is not null;`;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export type BareCheckout = {
  /** `bin/risk` of the checkout, which creates its tables. */
  readonly launcher: string;
  /** Program and arguments; the role is the last argument. */
  readonly program: readonly string[];
};

/** Puts the files of that commit into a folder. Throws Failure `unavailable` where the history lacks it. */
export async function checkOutBare(folder: string): Promise<BareCheckout> {
  const checkout = join(folder, 'bare');
  const archive = join(folder, 'bare.tar');
  const run = promisify(execFile);
  await mkdir(checkout);
  await run('git', ['-C', ROOT, 'archive', '--output', archive, COMMIT, ...PATHS]).catch(
    (cause: unknown) => {
      const detail = `the bare pipeline is commit ${COMMIT.slice(0, 7)}, which this checkout's git history lacks`;
      throw new Failure('unavailable', 'NO_BARE_PIPELINE', detail, { cause });
    },
  );
  await run('tar', ['-xf', archive, '-C', checkout]);
  await symlink(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
  await writeCurrencies(join(folder, 'node_modules', 'currency-codes'));
  return {
    launcher: join(checkout, 'bin/risk'),
    program: [process.execPath, join(checkout, 'bench/bare/role.ts')],
  };
}

/** Writes the package that the commit reads its currencies from, and that the engine has no more, of the engine's currencies. */
async function writeCurrencies(folder: string): Promise<void> {
  const data = [...CURRENCIES].map(([code, { scale }]) => ({ code, digits: scale }));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "type": "module", "main": "index.js" }');
  await writeFile(join(folder, 'index.js'), `export const data = ${JSON.stringify(data)};`);
}

/** Once its tables are there, and before a role runs. */
export async function addIndexes(database: Client): Promise<void> {
  await database.query(INDEXES);
}
