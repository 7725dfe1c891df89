/** Opens a store by its name: a folder, or a prefix in a bucket. */
import { resolve } from 'node:path';
import type { Config } from '../../../kit/config/config.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { openBucket } from './bucket.ts';
import type { FileStore } from './file-store.ts';
import { openFolder } from './folder.ts';

type Settings = Pick<
  Config,
  | 'RISK_ARCHIVE_S3_ENDPOINT'
  | 'RISK_ARCHIVE_S3_REGION'
  | 'RISK_ARCHIVE_S3_ACCESS_KEY'
  | 'RISK_ARCHIVE_S3_SECRET_KEY'
  | 'RISK_ARCHIVE_S3_LOCK'
>;

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:\/[\w.=-]+)*)\/?$/;

/** @throws Failure where the name is malformed, or settings of the object store are missing */
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
