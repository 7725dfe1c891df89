/** Free TCP ports. Another process may take one meanwhile, so callers retry. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Failure } from '../../../kit/words/failure.ts';

const PORTS_TRIED = 100;

/** Any free port of the loopback address. */
export const freePort = (): Promise<number> => openOnce('127.0.0.1', 0);

/** Whether a service can listen on a port of the loopback address now. */
export const isFree = (port: number): Promise<boolean> =>
  openOnce('127.0.0.1', port).then(
    () => true,
    () => false,
  );

/** The given port, or the first free one from the default on. @param given true when the port is configured */
export async function chooseApiPort(host: string, port: number, given: boolean): Promise<number> {
  if (port === 0) return await freePort();
  const last = given ? port : port + PORTS_TRIED;
  for (let candidate = port; candidate <= last; candidate++) {
    const free = await openOnce(host, candidate).catch(() => undefined);
    if (free !== undefined) return free;
  }
  const advice = `port ${port} is taken; set PORT to a free one, or leave it unset`;
  const why = given ? advice : `no free port from ${port} to ${last}`;
  throw new Failure('unavailable', 'PORT_TAKEN', why);
}

async function openOnce(host: string, port: number): Promise<number> {
  await using server = createServer().listen({ host, port, exclusive: true });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
