/**
 * The user that the embedded services run as: the user of the engine. Postgres refuses root, so under root the services run
 * as the owner of their folder, or as `nobody` where there is no folder yet.
 */
import { spawnSync } from 'node:child_process';

export type Account = { readonly uid: number; readonly gid: number };

/** `nobody` of Debian and its kin: always in /etc/passwd, which Postgres insists on. */
const NOBODY: Account = { uid: 65_534, gid: 65_534 };

/** The account of this process. */
export const ownAccount = (): Account => ({
  uid: process.getuid?.() ?? NOBODY.uid,
  gid: process.getgid?.() ?? NOBODY.gid,
});

/** @param owner of an existing folder of services, whom Postgres demands as its user */
export function serviceAccount(owner: Account = NOBODY): Account {
  const own = ownAccount();
  if (own.uid !== 0) return own;
  return owner.uid === 0 ? NOBODY : { uid: owner.uid, gid: owner.gid };
}

/** True when the account may enter the folder; the kernel decides, as it also knows ACLs and mounts. */
export function mayEnter(account: Account, folder: string): boolean {
  const options = { cwd: '/', stdio: 'ignore', ...account } as const;
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], options).status === 0;
}
