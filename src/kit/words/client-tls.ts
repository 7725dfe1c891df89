/** TLS of a client of a store: the paths of its PEM files, and what they hold. */
import { readFileSync } from 'node:fs';

export const TLS_FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;

/** Paths of PEM files; the parameters have the names that a Postgres URL gives them. */
export type TlsFiles = {
  readonly sslrootcert?: string;
  readonly sslcert?: string;
  readonly sslkey?: string;
};

/**
 * Faults of the parameters of a store's URL, which name PEM files.
 * @param secure the scheme with TLS, where the URL has the scheme without TLS
 */
export function tlsFaults(
  given: Readonly<Record<string, string>>,
  secure: string | undefined,
  more: readonly string[] = [],
): string[] {
  const allowed = [...more, ...TLS_FILES].join(', ');
  const faults = Object.keys(given).flatMap((name) => {
    if (!TLS_FILES.some((known) => known === name))
      return `${name} is not known; allowed are ${allowed}`;
    return secure === undefined ? [] : `${name} is for ${secure}:// alone`;
  });
  const isHalf = (given['sslcert'] === undefined) !== (given['sslkey'] === undefined);
  return isHalf ? [...faults, 'sslcert and sslkey are given together'] : faults;
}

/** The text of a user or a password in a URL; undefined where an escape is broken. */
export function decodeLogin(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
export const BAD_ESCAPE = 'a % in user or password is written %25';

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
