/** TLS of a server of this engine: the paths of its PEM files, and what they hold. */
import { readFileSync } from 'node:fs';

export type ServerTlsFiles = {
  readonly sslcert: string;
  readonly sslkey: string;
  /** Authority that signs the certificates of clients; undefined asks no client for one. */
  readonly sslrootcert: string | undefined;
};

/** @throws where a file is not readable */
export function readServerFiles({ sslcert, sslkey, sslrootcert }: ServerTlsFiles) {
  return {
    cert: readFileSync(sslcert),
    key: readFileSync(sslkey),
    ca: sslrootcert === undefined ? undefined : readFileSync(sslrootcert),
  };
}
