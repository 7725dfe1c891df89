/** The superuser of the embedded cluster, for a checkpoint and the like. */
import pg from 'pg';
import type { Services } from './services.ts';

/** Lends a session of the superuser, whose password is that of the engine's role. */
export async function asSuperuser<T>(
  { databaseUrl }: Pick<Services, 'databaseUrl'>,
  work: (superuser: pg.Client) => Promise<T>,
): Promise<T> {
  const url = new URL(databaseUrl);
  url.username = 'postgres';
  const superuser = new pg.Client({ connectionString: url.href });
  await superuser.connect();
  try {
    return await work(superuser);
  } finally {
    await superuser.end();
  }
}
