/**
 * Programs of Debian 13 on any Debian: packages with all that they depend on, the C library as well, unpacked beside the machine's
 * own. apt resolves them against an empty list of installed packages and checks signatures by Debian's own key ring.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../src/tools/start/services/executable.ts';
import { makeOnce, openSharedFolder } from '../../src/tools/start/services/shared-folder.ts';
import { NotRun } from '../chaos/support/not-run.ts';

const FETCH_MS = 300_000;
const PROXY_NAMES = ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy'];
/** @param archive address of the archive that the machine's own packages come from */
const sourcesOf = (archive: string) => `Types: deb
URIs: ${archive}
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

/**
 * @param program path of the program within the packages
 * @returns path of a script that runs the program with the libraries of its Debian
 * @throws NotRun where apt or the network is missing
 */
export async function programOfTrixie(
  packages: readonly string[],
  program: string,
): Promise<string> {
  const name = `${packages[0]}-trixie-${process.arch}`;
  const folder = await makeOnce(openSharedFolder(), name, async (draft) => {
    await unpack(packages, draft);
    chmodSync(draft, 0o755);
  });
  const triplet = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const libraries = join(folder, 'usr/lib', triplet);
  const loader = readdirSync(libraries).find((entry) => /^ld-linux.*\.so/.test(entry)) ?? '';
  const script = join(folder, 'run');
  const run = `'${libraries}/${loader}' --library-path '${libraries}' '${folder}/${program}'`;
  writeFileSync(script, `#!/bin/sh\nexec ${run} "$@"\n`, { mode: 0o755 });
  return script;
}

async function unpack(packages: readonly string[], draft: string): Promise<void> {
  const work = mkdtempSync(join(draft, 'fetch-'));
  const archives = join(work, 'cache/archives');
  for (const path of ['cache/archives/partial', 'lists/partial', 'sources'])
    mkdirSync(join(work, path), { recursive: true });
  const targets = ['indextargets', '--format', '$(REPO_URI)', 'Identifier: Packages'];
  const [archive = ''] = (await ask('apt-get', targets)).stdout.split('\n');
  writeFileSync(join(work, 'sources/trixie.sources'), sourcesOf(archive));
  writeFileSync(join(work, 'status'), '');
  const options = {
    'Dir::Cache': join(work, 'cache'),
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::State::Status': join(work, 'status'),
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': join(work, 'sources'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': 'root',
    'APT::Install-Recommends': '0',
  };
  const own = Object.entries(options).flatMap(([option, value]) => ['-o', `${option}=${value}`]);
  const environment = Object.fromEntries(
    PROXY_NAMES.map((proxy) => [proxy, process.env[proxy] ?? '']),
  );
  const runs = async (command: string, ...args: readonly string[]) => {
    const { ok, stderr } = await ask(command, args, { environment, timeoutMs: FETCH_MS });
    if (!ok) throw new NotRun(`${command} ${args.at(-1)}: ${stderr.trim().split('\n').at(-1)}`);
  };
  await runs('apt-get', ...own, 'update');
  await runs('apt-get', ...own, '--yes', '--download-only', 'install', ...packages);
  for (const file of readdirSync(archives).filter((entry) => entry.endsWith('.deb')))
    await runs('dpkg-deb', '-x', join(archives, file), draft);
  rmSync(work, { recursive: true });
}
