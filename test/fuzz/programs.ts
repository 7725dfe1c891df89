/** The foreign clients, each installed once into the cache of this user, by the client of its registry. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findExecutable } from '../../src/tools/start/services/executable.ts';
import { NotRun } from '../chaos/support/not-run.ts';

const SCHEMATHESIS = '4.32.5';
/** k6 is the usual choice, and its licence (AGPL) is not ours. */
const VEGETA = 'v12.13.0';
const VERSITYGW = 'v1.8.0';

export const cache = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'risk-engine',
);

export function need(name: string): string {
  const found = findExecutable(name, process.env['PATH']);
  if (found === undefined) throw new NotRun(`${name} is not installed`);
  return found;
}

export async function fetchBy(program: string, args: readonly string[], more = {}): Promise<void> {
  const env = { ...process.env, ...more };
  await promisify(execFile)(program, args, { env }).catch((error: Error) => {
    throw new NotRun(error.message);
  });
}

/** @throws NotRun without Python, or where the package cannot be had */
export async function findSchemathesis(): Promise<string> {
  const folder = join(cache, `schemathesis-${SCHEMATHESIS}`);
  const program = join(folder, 'bin', 'schemathesis');
  if (existsSync(program)) return program;
  await mkdir(cache, { recursive: true });
  await fetchBy(need('python3'), ['-m', 'venv', folder]);
  await fetchBy(join(folder, 'bin', 'pip'), ['install', '-q', `schemathesis==${SCHEMATHESIS}`]);
  return program;
}

/** @throws NotRun without Go, or where the module cannot be had */
export async function findVegeta(): Promise<string> {
  const folder = join(cache, `vegeta-${VEGETA}`);
  const program = join(folder, 'vegeta');
  if (existsSync(program)) return program;
  const module = `github.com/tsenart/vegeta/v12@${VEGETA}`;
  await fetchBy(need('go'), ['install', module], { GOBIN: folder });
  return program;
}

/** An object store with the S3 API over a folder. @throws NotRun without Go, or where the module cannot be had */
export async function findVersitygw(): Promise<string> {
  const folder = join(cache, `versitygw-${VERSITYGW}`);
  const program = join(folder, 'versitygw');
  if (existsSync(program)) return program;
  const module = `github.com/versity/versitygw/cmd/versitygw@${VERSITYGW}`;
  await fetchBy(need('go'), ['install', module], { GOBIN: folder });
  return program;
}
