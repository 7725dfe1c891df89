/** Goal: a reader that goes away is noticed, and one that takes nothing is given up. Method: the stream alone. */
import { expect, test } from 'vitest';
import { createSlowedStream } from '../../../../src/rooms/exports/slowed-stream.ts';

const BYTES = new Uint8Array(1);

test('a reader that goes away is noticed while nothing is sent', async () => {
  const { body, gone } = createSlowedStream(60_000);
  const left = new Promise((resolve) => gone.addEventListener('abort', resolve));
  await body.cancel();
  await left;
  expect(String(gone.reason)).toContain('the reader has gone');
});

test('one piece waits for its reader, and the next one until it has taken that', async () => {
  const { body, send, close } = createSlowedStream(60_000);
  await send(BYTES);
  const second = send(BYTES).then(close);
  const isWaiting = () =>
    Promise.race([second.then(() => false), new Promise((resolve) => setImmediate(resolve, true))]);
  expect(await isWaiting()).toBe(true);
  let bytes = 0;
  for await (const piece of body) bytes += piece.length;
  await second;
  expect(bytes).toBe(2);
});

test('a reader that takes nothing is given up', async () => {
  const { send } = createSlowedStream(1);
  await send(BYTES);
  await expect(send(BYTES)).rejects.toThrow('the reader took nothing for 1 ms');
});
