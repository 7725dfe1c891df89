/** TLS of a client of a store: the paths of its PEM files, and what they hold. */
import { readFileSync } from 'node:fs';

export const TLS_FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/** Paths of PEM files; the parameters have the names that a Postgres URL gives them. */
export type TlsFiles = {
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
};

export type ServerTlsFiles = {
  readonly sslcert: string;
  readonly sslkey: string;
  /** Authority that signs the certificates of clients; undefined asks no client for one. */
  readonly sslrootcert: string | undefined;
};

/** Without `sslrootcert` Node's own certificate authorities are trusted. */
export function readCertificates({ sslrootcert, sslcert, sslkey }: TlsFiles) {
  return {
    ...(sslrootcert === undefined ? {} : { ca: readFileSync(sslrootcert) }),
    ...(sslcert === undefined ? {} : { cert: readFileSync(sslcert) }),
    ...(sslkey === undefined ? {} : { key: readFileSync(sslkey) }),
  };
}

/**
 * TLS of a server of this engine: the paths of its PEM files, and what they hold.
 * @throws where a file is not readable
 */
export function readServerFiles({ sslcert, sslkey, sslrootcert }: ServerTlsFiles) {
  return {
    cert: readFileSync(sslcert),
    key: readFileSync(sslkey),
    ca: sslrootcert === undefined ? undefined : readFileSync(sslrootcert),
  };
}
