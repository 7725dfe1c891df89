/** Reads by the servers that may answer a request: with `Prefer: read=primary` the primary alone. */
import type { Context } from 'hono';
import { type Databases, withLag } from '../kit/database/replica/choose-database.ts';
import { sayAge } from '../kit/http/answers/answer-headers.ts';
import type { AppEnv } from '../kit/http/app-env.ts';
import { prefersPrimary } from '../kit/http/prefer.ts';

/** The databases as the request may read them. */
export const databasesFor = (c: Context<AppEnv>, databases: Databases): Databases =>
  prefersPrimary(c) ? { ...databases, isPrimaryAlone: true } : databases;

/** Reads what a request asks, and says the age of the answer. */
export async function readFor<T>(
  c: Context<AppEnv>,
  databases: Databases,
  read: (databases: Databases) => Promise<T>,
): Promise<T> {
  const { answer, lagMs } = await withLag(databasesFor(c, databases), read);
  return sayAge(c, { answer, ageMs: lagMs });
}
