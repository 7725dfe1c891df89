/**
 * Goal: a stream of lines, which may last for hours, ends with its key. Method: lines are written one by one, before and after the
 * key is revoked.
 */
import { request as httpRequest } from 'node:http';
import { expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { startRunningApi } from '../support/running-api.ts';
import { count, input, send } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const api = await openForFile(startRunningApi());

test('a stream of lines stores nothing more once its key is revoked', async () => {
  const wished = { roles: ['ingest'], owner: 'me', client: 'shop' };
  const { body: made } = await send(api, 'POST', '/v1/keys', wished);
  const headers = {
    Authorization: `Bearer ${made.key}`,
    'Content-Type': 'application/x-ndjson',
  };
  let received = '';
  let hasEnded = false;
  const stream = httpRequest(`${api.url}/v1/transactions/batch`, { method: 'POST', headers });
  stream.on('error', () => undefined);
  stream.on('response', (response) => {
    response.on('data', (part) => {
      received += String(part);
    });
    response.on('close', () => {
      hasEnded = true;
    });
  });
  const write = () => stream.write(`${JSON.stringify(input())}\n`);
  write();
  await waitUntil(() => received.includes('"accepted"'), 5000, 'the first answer');
  const { status } = await send(api, 'DELETE', `/v1/keys/${made.key_id}`);
  expect(status).toBe(204);
  await waitUntil(
    () => {
      if (!hasEnded) write();
      return hasEnded;
    },
    2000,
    'the end of the stream',
  );
  expect(received).not.toContain('"done"');
  const stored = await count(api, 'transactions');
  expect(received.split('"accepted"').length - 1).toBe(stored);
  expect(api.log()).not.toMatch(/bug|"level":50/);
});
