/** An object store with one bucket, and the outcome of the checks. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { createOutput } from '../../src/kit/command/output.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { findVersitygw } from '../fuzz/programs.ts';
import { waitUntil } from '../support/wait-until.ts';

export const BUCKET = 'cold';
const START_MS = 20_000;
export const output = createOutput({ json: false });
export const failures: string[] = [];

export function check(what: string, isSo: boolean, seen: unknown = ''): void {
  output.line(`${isSo ? 'ok    ' : 'FAILED'}  ${what} ${String(seen)}`.trimEnd());
  if (!isSo) failures.push(what);
}

export type Store = {
  readonly settings: Readonly<Record<string, string>>;
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
};

/** Checks that the newest version of a locked file cannot be deleted. */
export async function tryDelete({ ask }: Store, path: string): Promise<void> {
  const versions = await (await ask(`?versions&prefix=${path}`)).text();
  const latest = versions.split('<Version>').find((one) => one.includes('<IsLatest>true'));
  const [, version = ''] = /<VersionId>([^<]*)</.exec(latest ?? versions) ?? [];
  const { status } = await ask(`/${path}?versionId=${version}`, { method: 'DELETE' });
  check('a locked file is not removed', status === 403, `${path} ${status}`);
}

export async function startStore(folder: string): Promise<Store & AsyncDisposable> {
  const program = await findVersitygw();
  const [access, secret] = [randomBytes(8).toString('hex'), randomBytes(16).toString('hex')];
  const port = await freePort();
  const [files, versions] = [join(folder, 'store'), join(folder, 'versions')];
  for (const path of [files, versions]) await mkdir(path);
  const args = ['--port', `127.0.0.1:${port}`, 'posix', '--versioning-dir', versions, files];
  const env = { ...process.env, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret };
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const endpoint = `http://127.0.0.1:${port}`;
  const isUp = async () =>
    await fetch(endpoint).then(
      () => true,
      () => undefined,
    );
  await waitUntil(isUp, START_MS, 'the object store');
  const client = new AwsClient({
    accessKeyId: access,
    secretAccessKey: secret,
    service: 's3',
    region: 'us-east-1',
  });
  const ask: Store['ask'] = (path, init) => client.fetch(`${endpoint}/${BUCKET}${path}`, init);
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
  const made = await ask('', { method: 'PUT', headers });
  check('the bucket is made with object lock', made.ok, made.status);
  const settings = {
    RISK_S3_ENDPOINT: endpoint,
    RISK_S3_ACCESS_KEY: access,
    RISK_S3_SECRET_KEY: secret,
    RISK_ARCHIVE_S3_LOCK: 'governance',
  };
  return {
    ...{ settings, ask },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
