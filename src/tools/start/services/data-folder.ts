/**
 * The data folder of one engine: its lock, the password of its services, and where their files live.
 *
 *   <data>/engine.json     who holds the folder, where its services and its API listen (mode 0600)
 *   <data>/password        of both services, made once (mode 0600)
 *   <data>/services/       owned by the services' account; a link to the shared folder where that account
 *                          may not enter <data> (root in a closed clone)
 *   <data>/logs/
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';
import { type Account, mayEnter, serviceAccount } from './account.ts';
import { readEngineFile } from './engine-file.ts';
import { openSharedFolder } from './shared-folder.ts';

type DataFolder = {
  readonly path: string;
  readonly services: string;
  readonly logs: string;
  readonly account: Account;
  readonly password: string;
  /** Releases the folder to another engine. */
  [Symbol.dispose](): void;
};

const PASSWORD_BYTES = 24;

export async function openDataFolder(given: string): Promise<DataFolder> {
  mkdirSync(given, { recursive: true, mode: 0o700 });
  const path = realpathSync(given);
  // Services that gave up root pass through the folder to their own; secrets in it have mode 0600.
  if (process.getuid?.() === 0) chmodSync(path, 0o711);
  using opened = new DisposableStack();
  opened.defer(await lock(path));
  const { services, account } = openServices(path);
  const logs = join(path, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const makePassword = () => randomBytes(PASSWORD_BYTES).toString('hex');
  const password = readOrMakeSecret(join(path, 'password'), makePassword);
  const locked = opened.move();
  return { path, services, logs, account, password, [Symbol.dispose]: () => locked.dispose() };
}

/**
 * The lock is a socket in Linux' abstract namespace named after the folder's device and inode: taken
 * atomically, and given back by the kernel however the holder dies, so it is never stale.
 */
async function lock(path: string): Promise<() => void> {
  const { dev, ino } = statSync(path);
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(`\0risk-engine-${dev}-${ino}`), 'listening').catch((error: Error) => {
    if (!('code' in error && error.code === 'EADDRINUSE')) throw error;
    const holder = readEngineFile(path);
    const other = `another engine${holder === undefined ? '' : ` (pid ${holder.pid})`} uses ${path}`;
    const said = `${other}; stop it first, or give this one a folder of its own with RISK_DATA_DIR`;
    throw new Failure('unavailable', 'ENGINE_RUNNING', said);
  });
  server.unref();
  return () => server.close();
}

function openServices(path: string): { services: string; account: Account } {
  const entry = join(path, 'services');
  if (!existsSync(entry)) {
    const account = serviceAccount();
    // A link may stay here whose target was cleaned away.
    rmSync(entry, { force: true });
    mkdirSync(entry, { mode: 0o700 });
    chownSync(entry, account.uid, account.gid);
    if (!mayEnter(account, entry)) {
      rmSync(entry, { recursive: true });
      const outside = mkdtempSync(join(openSharedFolder(), 'data-'));
      chownSync(outside, account.uid, account.gid);
      symlinkSync(outside, entry);
    }
  }
  const services = realpathSync(entry);
  return { services, account: serviceAccount(statSync(services)) };
}

/** A secret that is made once and stays in its file. */
export function readOrMakeSecret(file: string, make: () => string): string {
  if (!existsSync(file)) writeFileSync(file, `${make()}\n`, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}
