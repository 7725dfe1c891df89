/** Opens a store by its name: a folder, or a prefix in a bucket. */
import { resolve } from 'node:path';
import { openObjectStore } from '../../../kit/client/object-store.ts';
import type { Config } from '../../../kit/config/config.ts';
import { openBucket } from './bucket.ts';
import type { FileStore } from './file-store.ts';
import { openFolder } from './folder.ts';

/** @throws Failure where the name is malformed, or settings of the object store are missing */
export function openFileStore(name: string, config: Config): FileStore {
  if (!name.startsWith('s3:')) return openFolder(resolve(name));
  return openBucket(openObjectStore(name, config), config.RISK_ARCHIVE_S3_LOCK);
}
