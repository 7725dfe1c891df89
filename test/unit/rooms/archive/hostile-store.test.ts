/**
 * Goal: a hostile archive or store makes a reader neither leave the archive nor keep more bytes than the manifest says. Method: an
 * archive whose manifest names a file beside its folder, and a server that sends 128 MiB.
 */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../../src/kit/config/config.ts';
import { findArchive } from '../../../../src/rooms/archive/archive-file.ts';
import { readPart } from '../../../../src/rooms/archive/export-table.ts';
import { openFolder } from '../../../../src/rooms/archive/file-stores/folder.ts';
import { openFileStore } from '../../../../src/rooms/archive/file-stores/open-file-store.ts';
import { sha256, toParquet } from '../../../../src/rooms/archive/part-file.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

test('a manifest names files of its own folder alone', async () => {
  const folder = temporaryFolder();
  const bytes = await toParquet(['id'], []);
  const archive = join(folder, 'archive');
  mkdirSync(archive);
  const verify = async (file: string) => {
    writeFileSync(join(archive, file), bytes);
    const part = { file, rows: 0, bytes: bytes.length, sha256: sha256(bytes) };
    const table = { name: 't', columns: [], rows: 0, content: '0', parts: [part] };
    const manifest = {
      ...{ format: 1, market: 'market_0', month: '2026-03', number: 1, encryption: 'none' },
      ...{ begun_at: '', lock_until: '', migrations: [], evidence: null, tables: [table] },
    };
    writeFileSync(join(archive, 'archive.json'), JSON.stringify(manifest));
    return await runRisk(['archive', 'verify', archive], {});
  };
  expect((await verify('scores_y2026m03.1.parquet')).stdout).toContain('different=0');
  const left = await verify('../scores_y2026m03.1.parquet');
  expect([left.code, left.stderr]).toEqual([1, expect.stringContaining('is not of this release')]);
});

/** A bucket on a server that gives the answer. */
async function openBucket(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const read = readConfig({
    RISK_S3_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    RISK_S3_ACCESS_KEY: 'a',
    RISK_S3_SECRET_KEY: 'b',
    RISK_ARCHIVE_S3_LOCK: 'compliance',
  });
  if ('problems' in read) throw new Error(read.problems.join());
  return openFileStore('s3://cold', read.config);
}

test('a bucket that locks each object by default accepts writes', async () => {
  const taken: string[] = [];
  const bucket = await openBucket(async (request, response) => {
    const body = await buffer(request);
    const isChecked = request.headers['content-md5'] === hash('md5', body, 'base64');
    if (isChecked) taken.push(request.url ?? '');
    response.writeHead(isChecked ? 200 : 400).end('<Error><Code>InvalidRequest</Code></Error>');
  });
  await bucket.put('new', Buffer.from('x'));
  await bucket.replace('new', Buffer.from('y'));
  expect(await bucket.seal(['new'], new Date())).toBeNull();
  expect(taken).toEqual(['/cold/new', '/cold/new', '/cold/new?retention']);
});

test('of a file that is larger than its manifest says, no more is kept than shows that', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 1);
  const CHUNKS = 128;
  let sent = 0;
  const bucket = await openBucket((_request, response) => {
    let left = CHUNKS;
    const send = () => {
      while (left > 0 && !response.destroyed) {
        left--;
        sent++;
        if (!response.write(chunk)) return;
      }
      response.end();
    };
    response.on('drain', send);
    send();
  });
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'x'), chunk);
  const part = { file: 'x', rows: 0, bytes: 1000, sha256: sha256('') };
  for (const store of [bucket, openFolder(folder)]) {
    const bytes = await store.get('x', part.bytes);
    expect(bytes.length).toBe(part.bytes + 1);
    await expect(readPart({ store, archive: 'a', key: null }, part)).rejects.toThrow(
      'x was changed',
    );
  }
  expect(sent).toBeLessThan(CHUNKS);
});

test('a folder that cannot be written is named, with the reason', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  const store = openFolder(join(file, 'archive'));
  const isNamed = { code: 'STORE_UNUSABLE', message: expect.stringContaining(`${file}/archive: `) };
  await expect(store.list()).rejects.toMatchObject(isNamed);
  await expect(store.put('x', Buffer.alloc(1))).rejects.toMatchObject(isNamed);
});

test.each([
  ['{', 'it is no JSON'],
  ['{"format": 1, "market": 5}', 'market must be a string, not 5'],
])('a manifest of %s is refused by a sentence', async (text, fault) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'archive.json'), text);
  await expect(findArchive(openFolder(folder))).rejects.toThrow(
    `archive.json of ${folder} is no archive of a market of this release: ${fault}`,
  );
});
