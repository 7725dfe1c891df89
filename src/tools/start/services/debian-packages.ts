/**
 * Fetches and unpacks programs from Debian's packages without root and without installing them.
 * Libraries that a package depends on and the machine lacks are unpacked beside it. Works with and
 * without apt's lists; apt itself checks signatures.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../../../kit/config/config.ts';
import { ask, findExecutable } from './executable.ts';
import { makeOnce, openSharedFolder } from './shared-folder.ts';

type Unpacked = {
  /** Installs the package as the root of a file system would hold it. */
  readonly folder: string;
  /** Environment in which its programs find their libraries. */
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

/** Most packages that one fetch may unpack, dependencies included. */
const PACKAGES_MAX = 20;
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
  const options = await listOptions(tools, wanted, work);
  const queue = [wanted];
  for (let index = 0; index < queue.length && index < PACKAGES_MAX; index += 1) {
    const name = queue[index] ?? '';
    const file = await download(tools, options, name, work);
    await must(tools.dpkg, ['-x', file, draft], tools);
    for (const needed of await neededBy(tools, file)) {
      if (!queue.includes(needed)) queue.push(needed);
    }
  }
  rmSync(work, { recursive: true });
}

/** Options that give apt lists of our own when the machine's are empty. */
async function listOptions(tools: Tools, wanted: string, work: string): Promise<string[]> {
  const probe = mkdtempSync(join(work, 'probe-'));
  const run = { ...tools, cwd: probe, timeoutMs: FETCH_TIMEOUT_MS };
  const { ok } = await ask(tools.apt, ['download', wanted], run);
  if (ok) return [];
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  mkdirSync(join(work, 'apt/archives/partial'), { recursive: true });
  const own = ['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}/apt`];
  await must(tools.apt, [...own, 'update'], tools);
  return own;
}

async function download(
  tools: Tools,
  options: readonly string[],
  name: string,
  work: string,
): Promise<string> {
  const folder = mkdtempSync(join(work, 'deb-'));
  await must(tools.apt, [...options, 'download', name], { ...tools, cwd: folder });
  const file = readdirSync(folder).find((entry) => entry.endsWith('.deb'));
  if (file === undefined) throw new Error(`apt-get download ${name} brought nothing`);
  return join(folder, file);
}

/** Libraries that a package depends on and that this machine has not installed. */
async function neededBy(tools: Tools, file: string): Promise<string[]> {
  const depends = await must(tools.dpkg, ['-f', file, 'Depends'], tools);
  const names = depends
    .split(/[,|]/)
    .map((part) => part.trim().split(/[\s:(]/)[0] ?? '')
    .filter((name) => /^lib[a-z0-9.+-]+$/.test(name) && name !== 'libc6');
  const missing: string[] = [];
  for (const name of names) {
    const query = await ask('dpkg-query', ['-W', '-f', '$' + '{Status}', name]);
    if (!query.stdout.includes('install ok installed')) missing.push(name);
  }
  return missing;
}

async function must(
  program: string,
  args: readonly string[],
  options: { environment: Readonly<Record<string, string>>; signal: AbortSignal; cwd?: string },
): Promise<string> {
  const answer = await ask(program, args, { ...options, timeoutMs: FETCH_TIMEOUT_MS });
  if (!answer.ok) throw new Error(`${program} ${args.join(' ')}: ${answer.stderr.trim()}`);
  return answer.stdout;
}
