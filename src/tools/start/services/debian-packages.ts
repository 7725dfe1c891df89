/**
 * Fetches and unpacks programs from Debian's packages without root and without installing them, with the packages that they
 * depend on and the machine lacks. Works with and without apt's lists; apt itself checks signatures.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../../kit/config/config.ts';
import { ask, findExecutable } from './executable.ts';
import { makeOnce, openSharedFolder } from './shared-folder.ts';

type Unpacked = {
  /** Installs the package as the root of a file system would hold it. */
  readonly folder: string;
  /** Environment in which the programs of a package find their libraries. */
  readonly environment: Readonly<Record<string, string>>;
};

export type FetchOptions = {
  readonly environment: Environment;
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
};

type PackageOptions = FetchOptions & {
  readonly name: string;
  /** Name of the package in `onProgress`. */
  readonly title: string;
  /** Folder within the shared folder; the machine's architecture is appended. */
  readonly folder: string;
  /** Last step after unpacking, before the folder is published. */
  readonly finish?: (folder: string) => void;
};

const FETCH_TIMEOUT_MS = 60_000;
const PROXY_NAMES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy'];
const TRIPLETS: Readonly<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
};

/** The unpacked package, or undefined where there is no apt, no network, or no matching build. */
export async function unpackPackage(options: PackageOptions): Promise<Unpacked | undefined> {
  const { signal } = options;
  const triplet = TRIPLETS[process.arch];
  const shared = openSharedFolder();
  const name = `${options.folder}-${process.arch}`;
  if (triplet === undefined) return undefined;
  if (!existsSync(join(shared, name))) options.onProgress(`fetching ${options.title}`);
  try {
    const folder = await makeOnce(shared, name, async (draft) => {
      await unpackAll(options, draft);
      options.finish?.(draft);
      chmodSync(draft, 0o755);
    });
    const libraries = [join(folder, 'usr/lib', triplet), join(folder, 'lib', triplet)];
    return { folder, environment: { LD_LIBRARY_PATH: libraries.join(':') } };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function unpackAll({ name, environment, signal }: PackageOptions, draft: string) {
  const work = mkdtempSync(join(draft, 'fetch-'));
  const archives = join(work, 'apt/archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  const proxies = Object.fromEntries(PROXY_NAMES.map((proxy) => [proxy, environment[proxy] ?? '']));
  const runs = async (program: string, ...args: readonly string[]) => {
    const path = findExecutable(program, environment['PATH']);
    const own = { environment: proxies, signal, timeoutMs: FETCH_TIMEOUT_MS };
    return path !== undefined && (await ask(path, args, own)).ok;
  };
  // Locks and the usual cache are root's.
  const own = ['-o', 'Debug::NoLocking=1', '-o', `Dir::Cache=${work}/apt`];
  const install = ['--download-only', '--reinstall', '--no-install-recommends', '-y', 'install'];
  const lists = [...own, '-o', `Dir::State::Lists=${work}/lists`];
  const isFetched =
    (await runs('apt-get', ...own, ...install, name)) ||
    // The lists of the machine are empty or old.
    ((await runs('apt-get', ...lists, 'update')) &&
      (await runs('apt-get', ...lists, ...install, name)));
  if (!isFetched) throw new Error(`apt fetched no ${name}`);
  for (const file of readdirSync(archives).filter((entry) => entry.endsWith('.deb'))) {
    if (!(await runs('dpkg-deb', '-x', join(archives, file), draft))) throw new Error(file);
  }
  rmSync(work, { recursive: true });
}
