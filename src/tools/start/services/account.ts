/**
 * The user that the embedded services run as: the user of the engine. Postgres refuses root, so under root the services run
 * as the owner of their folder, or as `nobody` where there is no folder yet.
 */
import { spawnSync } from 'node:child_process';

export type Account = {
  readonly uid: number;
  readonly gid: number;
  /** True when the services give up root for it. */
  readonly dropped: boolean;
};

/** `nobody` of Debian and its kin: always in /etc/passwd, which Postgres insists on. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const ROOT = 0;

/** @param owner of an existing data folder, whom Postgres demands as its user */
export function serviceAccount(owner?: { readonly uid: number; readonly gid: number }): Account {
  const uid = process.getuid?.() ?? NOBODY.uid;
  const gid = process.getgid?.() ?? NOBODY.gid;
  if (uid !== ROOT) return { uid, gid, dropped: false };
  const kept = owner === undefined || owner.uid === ROOT ? NOBODY : owner;
  return { uid: kept.uid, gid: kept.gid, dropped: true };
}

/** True when the account may enter the folder; the kernel decides, as it also knows ACLs and mounts. */
export function mayEnter(account: Account, folder: string): boolean {
  const { status } = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
    cwd: '/',
    stdio: 'ignore',
    ...identity(account),
  });
  return status === 0;
}

/** Options of spawn that change the user; none when nothing is dropped. */
export function identity(account: Account): { uid?: number; gid?: number } {
  return account.dropped ? { uid: account.uid, gid: account.gid } : {};
}
