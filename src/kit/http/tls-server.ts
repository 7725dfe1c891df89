/** A server of https whose certificate is renewed while it runs. */
import { unwatchFile, watchFile } from 'node:fs';
import { type IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../metrics/log.ts';
import { readServerFiles, type ServerTlsFiles } from '../words/client-tls.ts';
import { toError } from '../words/failure.ts';

/** Certificates are renewed days before they expire; looking oftener would find nothing more. */
const LOOK_EVERY_MS = 5000;

export type Tls = { readonly files: ServerTlsFiles; readonly log: Pick<Log, 'warn'> };

/** With less time slow senders never see the answer, and with more each of them holds a connection for longer. */
const UNREAD_BODY_MS_MAX = 2000;
const REFUSED_MIN = 400;

/**
 * An answer that comes before the end of its request's body. The rest of the body is read and dropped for a while: a client
 * that writes all of it before it reads would otherwise meet a broken pipe in place of the answer.
 */
export class EarlyResponse extends ServerResponse {
  override writeHead(status: number, ...rest: unknown[]): this {
    const { req: request } = this;
    if (!request.complete) {
      const isLast = !this.shouldKeepAlive;
      // Node closes the connection of a last answer at once.
      if (status >= REFUSED_MIN) this.shouldKeepAlive = true;
      this.once('finish', () => readOn(request, isLast));
    }
    return super.writeHead(status, ...(rest as []));
  }
}

/** A kubelet shows no certificate. */
const PROBES: readonly string[] = ['/livez', '/readyz'];

/** Whether a request lacks a client certificate that it needs. Node types the socket of each request as a socket without TLS. */
export const isStranger = (tls: Tls | undefined, { socket, url }: IncomingMessage): boolean =>
  tls?.files.sslrootcert !== undefined &&
  !(socket as TLSSocket).authorized &&
  !PROBES.includes(url ?? '');

/** Connections of clients without a certificate stay open for probes: `isStranger` refuses their other requests. */
export function createTlsServer(
  { files, log }: Tls,
  options: ServerOptions<typeof IncomingMessage, typeof EarlyResponse>,
  listener: RequestListener,
): Server {
  const asked = { requestCert: files.sslrootcert !== undefined, rejectUnauthorized: false };
  const server = createServer({ ...options, ...asked, ...readServerFiles(files) }, listener);
  // A session that is resumed without a certificate counts as authorized before Node 24.
  server.on('secureConnection', (socket) => {
    if (socket.getPeerX509Certificate() === undefined) socket.authorized = false;
  });
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

function readOn(request: IncomingMessage, isLast: boolean): void {
  const { socket } = request;
  const end = () => socket.destroySoon();
  if (request.complete) {
    if (isLast) end();
    return;
  }
  const timer = setTimeout(end, UNREAD_BODY_MS_MAX);
  request.once('close', () => clearTimeout(timer));
  if (isLast) request.once('end', end);
  request.resume();
}
