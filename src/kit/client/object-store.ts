/** A prefix of a bucket, by the S3 API. Objects of some megabytes are in memory as a whole, and each PUT is signed with their SHA-256. */
import { hash } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { Config } from '../config/config.ts';
import { BUCKET_URL, missingFor } from '../config/evidence-settings.ts';
import { Failure, reasonOf } from '../words/failure.ts';

export type ObjectStore = ReturnType<typeof openObjectStore>;

type Asked = RequestInit & {
  readonly query?: string;
  readonly allowed?: number;
  readonly bytesMax?: number;
};

/** Deadline of one request. Larger: a dead store is noticed later; smaller: some megabytes fail over a slow line. */
const REQUEST_MS_MAX = 60_000;
/** Retries after a temporary refusal (429, 5xx), with growing pauses. */
const RETRIES = 4;
/** More than a refusal, and than a checkpoint. */
const SAID_BYTES_MAX = 64 * 1024;

/**
 * @param url as `s3://BUCKET/PREFIX`
 * @throws Failure where the URL is malformed, or settings of the object store are missing
 */
export function openObjectStore(url: string, config: Config) {
  const [, bucket, prefix = ''] = BUCKET_URL.exec(url) ?? [];
  if (bucket === undefined) {
    const why = `'${url}' must be s3://BUCKET/PREFIX of letters, digits, '.', '_', '=' and '-'`;
    throw new Failure('invalid', 'BUCKET_WRONG', why);
  }
  const { RISK_S3_ENDPOINT: endpoint = '', RISK_S3_REGION: region } = config;
  const { RISK_S3_ACCESS_KEY: accessKeyId = '', RISK_S3_SECRET_KEY: secretAccessKey = '' } = config;
  const missing = missingFor(config);
  if (missing.length > 0)
    throw new Failure('invalid', 'BUCKET_SETTINGS', `${url} needs ${missing.join(' and ')}`);
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    region,
    service: 's3',
    retries: RETRIES,
  });
  const name = `s3://${bucket}${prefix}`;
  return {
    /** `s3://BUCKET/PREFIX` */
    name,
    /**
     * Asks for an object, or for what its query names. The answer has at most one byte more than `bytesMax`, by which an object is
     * seen to be larger, and `allowed` is a status that is no failure beside 2xx.
     * @throws Failure `unavailable` for any other status, and where the store does not answer
     */
    ask: async (
      object: string,
      { query = '', allowed, bytesMax = SAID_BYTES_MAX, ...init }: Asked = {},
    ) => {
      const address = `${endpoint.replace(/\/$/, '')}/${bucket}${prefix}/${object}${query}`;
      const signal = AbortSignal.timeout(REQUEST_MS_MAX);
      const lost = (error: unknown) => {
        throw unreachable(`${name}/${object}: ${reasonOf(error)}`);
      };
      const response = await client.fetch(address, { ...init, signal }).catch(lost);
      const bytes = await firstBytes(response.body ?? [], bytesMax + 1).catch(lost);
      const { ok, status } = response;
      if (ok || status === allowed) return { status, bytes, etag: response.headers.get('etag') };
      const [, code = ''] = /<Code>([^<]*)<\/Code>/.exec(bytes.toString()) ?? [];
      throw unreachable(`${name}/${object}: the store answered ${status} ${code}`.trim());
    },
  };
}

/**
 * A body, and the headers by which the store checks that the whole body came. A bucket that locks each object by default demands an
 * MD5 or another checksum, and every store accepts MD5.
 */
export function bodyOf(bytes: Uint8Array | string) {
  const headers = {
    'X-Amz-Content-Sha256': hash('sha256', bytes),
    'Content-MD5': hash('md5', bytes, 'base64'),
  };
  return {
    method: 'PUT',
    headers,
    body: typeof bytes === 'string' ? bytes : new Uint8Array(bytes),
  };
}

const unreachable = (why: string): Failure => new Failure('unavailable', 'STORE_UNREACHABLE', why);

/** Reads up to so many bytes, and leaves the rest unread. */
export async function firstBytes(
  stream: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  bytesMax: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of stream) {
    parts.push(part);
    bytes += part.byteLength;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(parts, Math.min(bytes, bytesMax));
}
