/** A server of https whose certificate is renewed while it runs. */
import { unwatchFile, watchFile } from 'node:fs';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { readServerFiles, type ServerTlsFiles } from '../words/server-tls.ts';
import type { EarlyResponse } from './early-response.ts';

/** Certificates are renewed days before they expire; looking oftener would find nothing more. */
const LOOK_EVERY_MS = 5000;

export function createTlsServer(
  files: ServerTlsFiles,
  options: ServerOptions<typeof IncomingMessage, typeof EarlyResponse>,
  listener: RequestListener,
): Server {
  const mustKnowClients = files.sslrootcert !== undefined;
  const asked = { requestCert: mustKnowClients, rejectUnauthorized: mustKnowClients };
  const server = createServer({ ...options, ...asked, ...readServerFiles(files) }, listener);
  const renew = () => {
    try {
      server.setSecureContext(readServerFiles(files));
    } catch {
      // A certificate that is written before its key belongs to the old key: the next change is the key's.
    }
  };
  const paths = Object.values(files).filter((path) => path !== undefined);
  for (const path of paths) watchFile(path, { interval: LOOK_EVERY_MS, persistent: false }, renew);
  server.once('close', () => {
    for (const path of paths) unwatchFile(path, renew);
  });
  return server;
}
