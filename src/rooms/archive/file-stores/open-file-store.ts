/** Opens a store by its name: a folder, or a prefix in a bucket. */

import { resolve } from 'node:path';
import { bodyOf, type ObjectStore, openObjectStore } from '../../../kit/client/object-store.ts';
import { whole } from '../../../kit/command/options.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { FileStore } from './file-store.ts';
import { openFolder, requireSame } from './folder.ts';

const LOCK_YEARS = 7;
const LOCK_YEARS_MAX = 100;
export const LOCK_OPTION = {
  '--lock-years N': whole(
    'Years for which an object lock keeps the files',
    { min: 1, max: LOCK_YEARS_MAX },
    LOCK_YEARS,
  ),
} as const;

const TAKEN = 412;
const MISSING = 404;

/** @throws Failure where the name is malformed, or settings of the object store are missing */
export function openFileStore(name: string, config: Config): FileStore {
  if (!name.startsWith('s3:')) return openFolder(resolve(name));
  return openBucket(openObjectStore(name, config), config.RISK_ARCHIVE_S3_LOCK);
}

/**
 * Files of an archive in an object store. One PUT writes a file.
 * @param lock mode of the object lock that `seal` sets
 */
function openBucket({ name, ask }: ObjectStore, lock: Config['RISK_ARCHIVE_S3_LOCK']): FileStore {
  const get = async (file: string, bytesMax: number) => (await ask(file, { bytesMax })).bytes;
  return {
    name,
    get,
    find: async (file, bytesMax) => {
      const { status, bytes } = await ask(file, { bytesMax, allowed: MISSING });
      return status === MISSING ? undefined : bytes;
    },
    replace: async (file, bytes) => {
      await ask(file, bodyOf(bytes));
    },
    put: async (file, bytes) => {
      const { headers, ...put } = bodyOf(bytes);
      const once = { ...headers, 'If-None-Match': '*' };
      const { status } = await ask(file, { ...put, headers: once, allowed: TAKEN });
      if (status === TAKEN) requireSame(`${name}/${file}`, await get(file, bytes.length), bytes);
    },
    seal: async (files, until) => {
      if (lock === 'none') return 'RISK_ARCHIVE_S3_LOCK is none';
      const text = `<Retention xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Mode>${lock.toUpperCase()}</Mode><RetainUntilDate>${until.toISOString()}</RetainUntilDate></Retention>`;
      for (const file of files) await ask(file, { ...bodyOf(text), query: '?retention' });
      return null;
    },
  };
}
