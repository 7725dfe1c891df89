/**
 * Fetches and unpacks programs from Debian's packages without root and without installing them, with the packages that they
 * depend on and the machine lacks. Works with and without apt's lists; apt itself checks signatures.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../../kit/config/config.ts';
import { ask } from './executable.ts';
import { makeOnce, openSharedFolder } from './shared-folder.ts';

export type FetchOptions = {
  readonly environment: Environment;
  readonly signal: AbortSignal;
};

const FETCH_TIMEOUT_MS = 60_000;
const PROXY_NAMES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy'];

/**
 * @returns the folder that holds the packages as the root of a file system would, and the environment in which their programs
 * find their libraries
 * @throws where there is no apt, no network, or no matching build
 */
export async function unpackPackages(packages: readonly string[], options: FetchOptions) {
  const name = `${packages[0]}-debian-${process.arch}`;
  const folder = await makeOnce(openSharedFolder(), name, async (draft) => {
    await unpackAll(packages, options, draft);
    chmodSync(draft, 0o755);
  });
  const triplet = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const libraries = [join(folder, 'usr/lib', triplet), join(folder, 'lib', triplet)];
  return { folder, environment: { LD_LIBRARY_PATH: libraries.join(':') } };
}

async function unpackAll(
  packages: readonly string[],
  { environment, signal }: FetchOptions,
  draft: string,
): Promise<void> {
  const work = mkdtempSync(join(draft, 'fetch-'));
  const archives = join(work, 'apt/archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  const proxies = Object.fromEntries(PROXY_NAMES.map((proxy) => [proxy, environment[proxy] ?? '']));
  const runs = async (program: string, ...args: readonly string[]) =>
    (await ask(program, args, { environment: proxies, signal, timeoutMs: FETCH_TIMEOUT_MS })).ok;
  // Locks and the usual cache are root's.
  const own = ['-o', 'Debug::NoLocking=1', '-o', `Dir::Cache=${work}/apt`];
  const lists = [...own, '-o', `Dir::State::Lists=${work}/lists`];
  const fetch = ['--download-only', '--reinstall', '--no-install-recommends', '-y', 'install'];
  const isFetched =
    (await runs('apt-get', ...own, ...fetch, ...packages)) ||
    // The lists of the machine are empty or old.
    ((await runs('apt-get', ...lists, 'update')) &&
      (await runs('apt-get', ...lists, ...fetch, ...packages)));
  if (!isFetched) throw new Error(`apt fetched no ${packages.join(' and no ')}`);
  for (const file of readdirSync(archives).filter((entry) => entry.endsWith('.deb'))) {
    if (!(await runs('dpkg-deb', '-x', join(archives, file), draft))) throw new Error(file);
  }
  rmSync(work, { recursive: true });
}
