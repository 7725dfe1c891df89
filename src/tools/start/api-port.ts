/** Chooses the port of the API: the configured one, or the first free one from the default on. */
import { createServer } from 'node:net';
import { Failure } from '../../kit/words/failure.ts';
import { freePort } from './services/free-port.ts';

const PORTS_TRIED = 100;

/** @param given true when the port is configured: then it, and no other, must be free */
export async function chooseApiPort(host: string, port: number, given: boolean): Promise<number> {
  if (port === 0) return await freePort();
  const last = given ? port : port + PORTS_TRIED;
  for (let candidate = port; candidate <= last; candidate++) {
    if (await isFree(host, candidate)) return candidate;
  }
  throw new Failure(
    'unavailable',
    'PORT_TAKEN',
    given
      ? `port ${port} is taken; set PORT to a free one, or leave it unset`
      : `no free port from ${port} to ${last}`,
  );
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
