/**
 * Files of an archive in an object store, by the S3 API. A file of some megabytes is in memory as a whole, so one PUT writes the
 * file, signed with the SHA-256 of its bytes.
 */
import { AwsClient } from 'aws4fetch';
import type { Config } from '../../../kit/config/config.ts';
import { toError } from '../../../kit/words/failure.ts';
import { sha256 } from '../part-file.ts';
import type { FileStore } from './file-store.ts';
import { requireSame, unreachable } from './same-bytes.ts';

type Bucket = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Mode of the object lock that `seal` sets. */
  readonly lock: Config['RISK_ARCHIVE_S3_LOCK'];
  readonly bucket: string;
  /** Begins with a slash, or is empty. */
  readonly prefix: string;
};

/** Deadline of one request. Larger: a dead store is noticed later; smaller: some megabytes fail over a slow line. */
const REQUEST_MS_MAX = 60_000;
/** Retries after a temporary refusal (429, 5xx), with growing pauses. */
const RETRIES = 4;
const TAKEN = 412;

export function openBucket(given: Bucket): FileStore {
  const { endpoint, region, accessKeyId, secretAccessKey, lock, bucket, prefix } = given;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 's3',
    retries: RETRIES,
  });
  const name = `s3://${bucket}${prefix}`;
  const url = (file: string) => `${endpoint.replace(/\/$/, '')}/${bucket}${prefix}/${file}`;

  /** @param allowed status that is no failure beside 2xx @throws Failure for any other status */
  async function ask(
    file: string,
    query: string,
    init: RequestInit,
    allowed = 0,
  ): Promise<Response> {
    const signal = AbortSignal.timeout(REQUEST_MS_MAX);
    const response = await client
      .fetch(`${url(file)}${query}`, { ...init, signal })
      .catch((error: unknown) => {
        throw unreachable(`${name}/${file}: ${reasonOf(error)}`);
      });
    if (response.ok || response.status === allowed) return response;
    const [, code = ''] = /<Code>([^<]*)<\/Code>/.exec(await response.text()) ?? [];
    throw unreachable(`${name}/${file}: the store answered ${response.status} ${code}`.trim());
  }

  const get = async (file: string) => {
    const response = await ask(file, '', {});
    try {
      return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      throw unreachable(`${name}/${file}: ${reasonOf(error)}`);
    }
  };
  return {
    name,
    get,
    put: async (file, bytes) => {
      const headers = { 'If-None-Match': '*', 'X-Amz-Content-Sha256': sha256(bytes) };
      const init = { method: 'PUT', headers, body: new Uint8Array(bytes) };
      const { status } = await ask(file, '', init, TAKEN);
      if (status === TAKEN) requireSame(`${name}/${file}`, await get(file), bytes);
    },
    seal: async (files, until) => {
      if (lock === 'none') return 'RISK_ARCHIVE_S3_LOCK is none';
      const body = `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>${lock.toUpperCase()}</Mode><RetainUntilDate>${until.toISOString()}</RetainUntilDate></Retention>`;
      const checksum = Buffer.from(sha256(body), 'hex').toString('base64');
      const headers = {
        'X-Amz-Content-Sha256': sha256(body),
        'X-Amz-Checksum-Sha256': checksum,
        'X-Amz-Sdk-Checksum-Algorithm': 'SHA256',
      };
      for (const file of files) {
        await ask(file, '?retention', { method: 'PUT', headers, body });
      }
      return null;
    },
  };
}

/** The reason of a failed request, which Node puts into the cause of `fetch failed`. */
function reasonOf(thrown: unknown): string {
  const { message, cause } = toError(thrown);
  return cause instanceof Error ? cause.message : message;
}
