/** Reads that a replica may answer. */
import type { Context } from 'hono';
import { type Databases, readAged } from '../kit/database/replica/choose-database.ts';
import { sayAge } from '../kit/http/answers/age.ts';
import type { AppEnv } from '../kit/http/app-env.ts';
import { readToken } from '../kit/http/consistency.ts';

/** Reads what a request asks from servers that have the write of its token, and says the age of the answer. */
export async function readFor<T>(
  c: Context<AppEnv>,
  databases: Databases,
  read: (databases: Databases) => Promise<T>,
): Promise<T> {
  return sayAge(c, await readAged(databases, readToken(c), read));
}
