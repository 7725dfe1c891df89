/** Checks the URLs of Postgres, Redis and Kafka, and what the API needs for TLS: a bad URL or an unreadable certificate is a bad configuration. */
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import {
  readServerFiles,
  type ServerTlsFiles,
  TLS_FILES,
  type TlsFiles,
} from '../words/client-tls.ts';
import { toError } from '../words/failure.ts';
import { readKafkaUrl } from '../words/kafka-url.ts';
import { describeRefused } from '../words/postgres-url.ts';
import { parseRedisUrl } from '../words/redis-url.ts';

const POSTGRES_URL = {
  protocol: /^postgres(ql)?$/,
  // The driver takes a single host, where other drivers take several.
  hostname: /^[^,]*$/,
  error: 'must be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with one host',
};

export function postgresUrl() {
  return z.url(POSTGRES_URL).superRefine((text, { addIssue }) => {
    if (!URL.canParse(text)) return;
    const url = new URL(text);
    const files = Object.fromEntries(url.searchParams);
    for (const problem of [...describeRefused(url), ...unreadable(files)]) addIssue(problem);
  });
}

/** A list of URLs with commas between; a comma within a URL stays. */
export function postgresUrls() {
  return z.string().transform((text, { issues }): string[] => {
    const urls = text.split(/\s*,\s*(?=postgres(?:ql)?:)/);
    for (const url of urls)
      for (const { message } of postgresUrl().safeParse(url).error?.issues ?? [])
        issues.push({ code: 'custom', message, input: text });
    return urls;
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

export function kafkaUrl() {
  return z.string().superRefine((text, { addIssue }) => {
    const { url, problems } = readKafkaUrl(text);
    for (const problem of [...problems, ...unreadable(url.tls ?? {})]) addIssue(problem);
  });
}

/** Files of a server: `sslcert=FILE&sslkey=FILE`, and `sslrootcert` of the authority whose clients alone may connect. */
export function serverFiles() {
  return z.string().transform((text, { issues }): ServerTlsFiles => {
    const files = Object.fromEntries(new URLSearchParams(text));
    const { sslcert, sslkey, sslrootcert, ...unknown } = files;
    const problems = [
      ...Object.keys(unknown).map(
        (name) => `${name} is not known; allowed are ${TLS_FILES.join(', ')}`,
      ),
      ...(sslcert && sslkey ? [] : ['sslcert and sslkey must be given']),
      ...unreadable(files),
    ];
    const tls = { sslcert: sslcert ?? '', sslkey: sslkey ?? '', sslrootcert };
    if (problems.length === 0) problems.push(...mismatched(tls));
    for (const message of problems) issues.push({ code: 'custom', message, input: text });
    return tls;
  });
}

/** Says why OpenSSL refuses the certificate or the key. */
function mismatched(files: ServerTlsFiles): string[] {
  try {
    createSecureContext(readServerFiles(files));
    return [];
  } catch (error) {
    return [`sslcert and sslkey: ${toError(error).message}`];
  }
}

function unreadable(files: TlsFiles): string[] {
  return TLS_FILES.flatMap((name) => {
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
