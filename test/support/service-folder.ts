/** A temporary folder that an unprivileged service may use, also when the tests run as root. */
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Account, serviceAccount } from '../../src/tools/start/services/account.ts';
import { openSharedFolder } from '../../src/tools/start/services/shared-folder.ts';

export type ServiceFolder = {
  readonly account: Account;
  readonly services: string;
  readonly logFile: string;
  readonly password: string;
  readonly passwordFile: string;
  [Symbol.dispose](): void;
};

export function makeServiceFolder(): ServiceFolder {
  const account = serviceAccount();
  const services = mkdtempSync(join(openSharedFolder(), 'test-'));
  if (account.dropped) chownSync(services, account.uid, account.gid);
  const password = 'test';
  const passwordFile = join(services, 'password');
  writeFileSync(passwordFile, password);
  return {
    account,
    services,
    logFile: join(services, 'service.log'),
    password,
    passwordFile,
    [Symbol.dispose]: () => rmSync(services, { recursive: true, force: true }),
  };
}

const ABANDONED_MS = 24 * 60 * 60 * 1000;

/** Removes what test runs that were killed left behind; a day old, so nobody uses it. */
export function sweepServiceFolders(): void {
  const shared = openSharedFolder();
  for (const name of readdirSync(shared).filter((entry) => entry.startsWith('test-'))) {
    const path = join(shared, name);
    const modifiedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - modifiedMs > ABANDONED_MS) rmSync(path, { recursive: true, force: true });
  }
}
