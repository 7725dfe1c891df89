/** Checks the URLs of Postgres and Redis: a bad URL or an unreadable certificate is a bad configuration. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { toError } from '../words/failure.ts';
import { parseRedisUrl, type TlsFiles } from '../words/redis-url.ts';

const FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;

export function postgresUrl() {
  return z.url({ protocol: /^postgres(ql)?$/ }).superRefine((text, { addIssue }) => {
    const files = URL.canParse(text) ? Object.fromEntries(new URL(text).searchParams) : {};
    for (const problem of unreadable(files)) addIssue(problem);
  });
}

export function redisUrl() {
  return z.string().superRefine((text, { addIssue }) => {
    try {
      for (const problem of unreadable(parseRedisUrl(text).tls ?? {})) addIssue(problem);
    } catch (error) {
      addIssue(toError(error).message);
    }
  });
}

function unreadable(files: TlsFiles): string[] {
  return FILES.flatMap((name) => {
    const path = files[name];
    if (path === undefined) return [];
    try {
      readFileSync(path);
      return [];
    } catch (error) {
      return [`${name}: ${toError(error).message}`];
    }
  });
}
