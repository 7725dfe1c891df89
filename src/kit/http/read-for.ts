/** Reads by the servers that may answer a request: with `Prefer: read=primary` the primary alone. */
import type { Context, MiddlewareHandler } from 'hono';
import { type Databases, withLag } from '../database/replica/choose-database.ts';
import { sayAge } from './answers/age.ts';
import { addHeaders } from './answers/headers.ts';
import type { AppEnv } from './app-env.ts';
import { PRIMARY_APPLIED, prefersPrimary } from './prefer.ts';

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

/** Says in the answer to a read that the preference was applied. */
export const sayReadPrimary: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (c.res.status < 400 && prefersPrimary(c))
    addHeaders(c, [['Preference-Applied', PRIMARY_APPLIED]]);
};
