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
  const { environment, onProgress, signal, finish } = options;
  const apt = findExecutable('apt-get', environment['PATH']);
  const dpkg = findExecutable('dpkg-deb', environment['PATH']);
  const triplet = TRIPLETS[process.arch];
  if (triplet === undefined) return undefined;
  const shared = openSharedFolder();
  const name = `${options.folder}-${process.arch}`;
  if (!existsSync(join(shared, name)) && (apt === undefined || dpkg === undefined))
    return undefined;
  try {
    const folder = await makeOnce(shared, name, async (draft) => {
      onProgress(`fetching ${options.title}`);
      const tools = { apt: apt ?? '', dpkg: dpkg ?? '', environment: proxies(environment), signal };
      await unpackAll(tools, options.name, draft);
      finish?.(draft);
      chmodSync(draft, 0o755);
    });
    const libraries = [join(folder, 'usr/lib', triplet), join(folder, 'lib', triplet)];
    return { folder, environment: { LD_LIBRARY_PATH: libraries.join(':') } };
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

type Tools = {
  readonly apt: string;
  readonly dpkg: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

function proxies(environment: Environment): Record<string, string> {
  return Object.fromEntries(PROXY_NAMES.map((name) => [name, environment[name] ?? '']));
}

async function unpackAll(tools: Tools, wanted: string, draft: string): Promise<void> {
  const work = mkdtempSync(join(draft, 'fetch-'));
  const archives = join(work, 'apt/archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  // Locks and the usual cache are root's.
  const own = ['-o', 'Debug::NoLocking=1', '-o', `Dir::Cache=${work}/apt`];
  const install = ['--download-only', '--reinstall', '--no-install-recommends', '-y', 'install'];
  const download = (options: readonly string[]) =>
    ask(tools.apt, [...options, ...install, wanted], { ...tools, timeoutMs: FETCH_TIMEOUT_MS });
  if (!(await download(own)).ok) {
    // The lists of the machine are empty or old.
    const lists = [...own, '-o', `Dir::State::Lists=${work}/lists`];
    await must(tools, tools.apt, [...lists, 'update']);
    await must(tools, tools.apt, [...lists, ...install, wanted]);
  }
  for (const file of readdirSync(archives).filter((entry) => entry.endsWith('.deb'))) {
    await must(tools, tools.dpkg, ['-x', join(archives, file), draft]);
  }
  rmSync(work, { recursive: true });
}

async function must(tools: Tools, program: string, args: readonly string[]): Promise<void> {
  const answer = await ask(program, args, { ...tools, timeoutMs: FETCH_TIMEOUT_MS });
  if (!answer.ok) throw new Error(`${program} ${args.join(' ')}: ${answer.stderr.trim()}`);
}
