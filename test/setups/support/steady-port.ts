/** Finds a free port below the system's ephemeral range, so that no outgoing connection takes it before the server does. */
import { createServer } from 'node:net';
import { integerBetween } from '../../../src/kit/random.ts';

const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 100;

export async function steadyPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = integerBetween(Math.random, FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${FIRST} to ${LAST}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return await promise;
}
