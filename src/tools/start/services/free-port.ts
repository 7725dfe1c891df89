/** Free TCP ports. Another process may take one meanwhile, so callers retry. */
import { createServer } from 'node:net';
import { Failure } from '../../../kit/words/failure.ts';

const PORTS_TRIED = 100;

/** Any free port of the loopback address. */
export const freePort = (): Promise<number> => openOnce('127.0.0.1', 0);

/** The given port, or the first free one from the default on. @param given true when the port is configured */
export async function chooseApiPort(host: string, port: number, given: boolean): Promise<number> {
  if (port === 0) return await freePort();
  const last = given ? port : port + PORTS_TRIED;
  for (let candidate = port; candidate <= last; candidate++) {
    const isFree = await openOnce(host, candidate).catch(() => undefined);
    if (isFree !== undefined) return candidate;
  }
  throw new Failure(
    'unavailable',
    'PORT_TAKEN',
    given
      ? `port ${port} is taken; set PORT to a free one, or leave it unset`
      : `no free port from ${port} to ${last}`,
  );
}

function openOnce(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else resolve(address.port);
      });
    });
  });
}
