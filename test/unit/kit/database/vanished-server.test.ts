/**
 * Goal: a server that vanishes while a connection opens delays a caller no longer than the deadlines, and is asked again. Method: a server
 * that refuses the first statement of a connection, and then neither sends nor closes anything.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../../../src/kit/database/open-database.ts';
import { followServer } from '../../../../src/kit/database/server.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
};
const READY = message('Z', Buffer.from('I'));
const WELCOME = Buffer.concat([message('R', Buffer.alloc(4)), READY]);
const REFUSAL = message('E', Buffer.from('SERROR\0C57014\0Mcanceled\0\0'));

test('a server that vanishes after a refusal is given up, and asked again', async () => {
  let opened = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    opened += 1;
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.once('data', () => {
      socket.write(WELCOME);
      socket.once('data', () => socket.write(Buffer.concat([REFUSAL, READY])));
    });
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = Object(server.address());
  const url = `postgres://risk@127.0.0.1:${address.port}/risk`;
  await using database = openDatabase(testConfig(), url, 'test');
  await expect(database.query({ text: 'select' })).rejects.toThrow('canceled');
  const open = () => openDatabase(testConfig(), url, 'test-server');
  await using _followed = followServer(open, silentLog(), 10);
  await waitUntil(() => opened > 3, 1000, 'the server to be asked again');
});
