/** TLS of a client of a store: the paths of its PEM files, and what they hold. */
import { readFileSync } from 'node:fs';

export const TLS_FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/** Paths of PEM files; the parameters have the names that a Postgres URL gives them. */
export type TlsFiles = {
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
};

/** Without `sslrootcert` Node's own certificate authorities are trusted. */
export function readCertificates({ sslrootcert, sslcert, sslkey }: TlsFiles) {
  return {
    ...(sslrootcert === undefined ? {} : { ca: readFileSync(sslrootcert) }),
    ...(sslcert === undefined ? {} : { cert: readFileSync(sslcert) }),
    ...(sslkey === undefined ? {} : { key: readFileSync(sslkey) }),
  };
}
