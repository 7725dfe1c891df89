/** A server of https whose certificate is renewed while it runs. */
import { unwatchFile, watchFile } from 'node:fs';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { Log } from '../metrics/log.ts';
import { toError } from '../words/failure.ts';
import { readServerFiles, type ServerTlsFiles } from '../words/server-tls.ts';
import type { EarlyResponse } from './early-response.ts';

/** Certificates are renewed days before they expire; looking oftener would find nothing more. */
const LOOK_EVERY_MS = 5000;

export type Tls = { readonly files: ServerTlsFiles; readonly log: Pick<Log, 'warn'> };

export function createTlsServer(
  { files, log }: Tls,
  options: ServerOptions<typeof IncomingMessage, typeof EarlyResponse>,
  listener: RequestListener,
): Server {
  const mustKnowClients = files.sslrootcert !== undefined;
  const asked = { requestCert: mustKnowClients, rejectUnauthorized: mustKnowClients };
  const server = createServer({ ...options, ...asked, ...readServerFiles(files) }, listener);
  // A handshake that failed or took too long has no connection that could be answered.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const renew = () => {
    try {
      server.setSecureContext(readServerFiles(files));
    } catch (error) {
      // A certificate that is written before its key belongs to the old key, until the key has changed as well.
      log.warn({ err: toError(error).message }, 'changed files of RISK_TLS are not in use');
    }
  };
  const paths = Object.values(files).filter((path) => path !== undefined);
  for (const path of paths) watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, renew);
  server.once('close', () => {
    for (const path of paths) unwatchFile(path, renew);
  });
  return server;
}
