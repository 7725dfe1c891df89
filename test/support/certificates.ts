/** Certificates of one run: a certificate authority, and a server certificate for the loopback that it signed. */
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serviceAccount } from '../../src/tools/start/services/account.ts';
import { ask, findExecutable } from '../../src/tools/start/services/executable.ts';

export type Certificates = Awaited<ReturnType<typeof makeCertificates>>;

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
const NAMES = 'subjectAltName=DNS:localhost,DNS:receiver.example,IP:127.0.0.1';
const SECRET = 0o600;

/** Path of openssl; undefined where it is not installed. */
export function findOpenssl(): string | undefined {
  return findExecutable('openssl', process.env['PATH']);
}

/** @param folder folder to make */
export async function makeCertificates(openssl: string, folder: string) {
  mkdirSync(folder, { mode: 0o755 });
  const file = (name: string) => join(folder, name);
  const request = async (...args: string[]) => {
    const { ok, stderr } = await ask(openssl, ['req', '-x509', ...KEY, ...args]);
    if (!ok) throw new Error(`openssl: ${stderr}`);
  };
  /** PEM files; only the services may read the key. */
  const made = { authority: file('ca.pem'), server: file('server.pem'), key: file('server.key') };
  const authority = ['-CA', made.authority, '-CAkey', file('ca.key')];
  await request('-subj', '/CN=authority', '-keyout', file('ca.key'), '-out', made.authority);
  const own = ['-addext', NAMES, '-addext', 'basicConstraints=CA:FALSE'];
  await request(
    ...authority,
    ...own,
    '-subj',
    '/CN=server',
    '-keyout',
    made.key,
    '-out',
    made.server,
  );
  const { uid, gid } = serviceAccount();
  for (const path of [made.server, made.key]) {
    chmodSync(path, SECRET);
    chownSync(path, uid, gid);
  }
  return made;
}
