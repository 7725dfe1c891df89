/**
 * Environments of Python with packages of given versions, each made once for all clones of this machine. The variable PYTHON names
 * the interpreter, as XGBoost 3.3 and later need 3.12.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../../src/tools/start/services/executable.ts';
import { openSharedFolder } from '../../src/tools/start/services/shared-folder.ts';
import { NotRun } from '../chaos/support/not-run.ts';

const INSTALL = fileURLToPath(new URL('install-python.sh', import.meta.url));
const INSTALL_MS = 600_000;
const RUN_MS = 120_000;
/** The network of a machine may be behind a proxy with a certificate of its own. */
const NETWORK =
  /^(PATH|HOME|PYTHON|(https?|no)_proxy|(HTTPS?|NO)_PROXY|PIP_.*|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)$/;

/**
 * @returns runs a script of this folder there, and gives its standard output
 * @throws NotRun without Python, or where a package cannot be had
 */
export async function openPython(name: string, packages: string) {
  const folder = join(openSharedFolder(), `python-${name}`);
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => NETWORK.test(key)),
  );
  const done = join(folder, 'installed');
  if (!existsSync(done)) {
    const made = await ask('sh', [INSTALL, folder, ...packages.split(' ')], {
      environment,
      timeoutMs: INSTALL_MS,
    });
    if (!made.ok) throw new NotRun(`${packages}: ${made.stderr.trim().split('\n').at(-1)}`);
  }
  return async (script: string, ...args: readonly string[]): Promise<string> => {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const { ok, stdout, stderr } = await ask(join(folder, 'bin/python'), [path, ...args], {
      environment,
      timeoutMs: RUN_MS,
    });
    if (!ok) throw new Error(`${script}: ${stderr}`);
    return stdout;
  };
}
