/**
 * How long an address of a host is tried before the host's next address. Node tries an address for 250 ms, which is less than
 * a server far away needs, so every process loads this module.
 */
import { Socket, setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net';

/** Longer: an address that is dead delays each connection by more. Shorter: a server far away is not reached. */
export const ADDRESS_MS = 3000;

setDefaultAutoSelectFamilyAttemptTimeout(ADDRESS_MS);

/** Options of a connection with a deadline: half of the deadline is left for the second address. */
export const addressTime = (deadlineMs: number) => ({
  autoSelectFamilyAttemptTimeout: Math.min(ADDRESS_MS, Math.ceil(deadlineMs / 2)),
});

/** A socket for a library that connects by port and host, or by path, alone. */
export function socketWithin(deadlineMs: number): Socket {
  const socket = new Socket();
  const connect = socket.connect.bind(socket);
  return Object.assign(socket, {
    connect: (port: number | string, host?: string) =>
      typeof port === 'string'
        ? connect(port)
        : connect({ port, ...(host && { host }), ...addressTime(deadlineMs) }),
  });
}
