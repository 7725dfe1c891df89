/** A store of the files of an archive: a folder, or a prefix in a bucket. */
import { resolve } from 'node:path';
import type { Config } from '../../../kit/config/config.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { openBucket } from './bucket.ts';
import { openFolder } from './folder.ts';

export type FileStore = {
  /** Absolute path, or `s3://bucket/prefix`. */
  readonly name: string;
  /** Written once: the same bytes again change nothing. @throws Failure where the file has other bytes */
  readonly put: (file: string, bytes: Buffer) => Promise<void>;
  /** @throws Failure `unavailable` where the file cannot be read */
  readonly get: (file: string) => Promise<Buffer>;
  /** Keeps files from change and removal until a time. @returns why it cannot; null where it does */
  readonly seal: (files: readonly string[], until: Date) => Promise<string | null>;
};

type Settings = Pick<
  Config,
  | 'RISK_ARCHIVE_S3_ENDPOINT'
  | 'RISK_ARCHIVE_S3_REGION'
  | 'RISK_ARCHIVE_S3_ACCESS_KEY'
  | 'RISK_ARCHIVE_S3_SECRET_KEY'
  | 'RISK_ARCHIVE_S3_LOCK'
>;

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w.=-]+)*)\/?$/;

/** @throws Failure where the name is no store's, or settings of the object store are missing */
export function openFileStore(name: string, settings: Settings): FileStore {
  if (!name.startsWith('s3:')) return openFolder(resolve(name));
  const [, bucket, prefix = ''] = BUCKET.exec(name) ?? [];
  if (bucket === undefined) {
    const why = `'${name}' must be s3://BUCKET/PREFIX of letters, digits, '.', '_', '=' and '-'`;
    throw new Failure('invalid', 'PLACE_WRONG', why);
  }
  const {
    RISK_ARCHIVE_S3_ENDPOINT: endpoint,
    RISK_ARCHIVE_S3_ACCESS_KEY: accessKeyId,
    RISK_ARCHIVE_S3_SECRET_KEY: secretAccessKey,
  } = settings;
  if (endpoint === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    const why = `${name} needs RISK_ARCHIVE_S3_ENDPOINT, RISK_ARCHIVE_S3_ACCESS_KEY and RISK_ARCHIVE_S3_SECRET_KEY`;
    throw new Failure('invalid', 'PLACE_SETTINGS', why);
  }
  return openBucket({
    endpoint,
    accessKeyId,
    secretAccessKey,
    region: settings.RISK_ARCHIVE_S3_REGION,
    lock: settings.RISK_ARCHIVE_S3_LOCK,
    bucket,
    prefix,
  });
}
