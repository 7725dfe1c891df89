/** A database transaction that holds what it has locked or claimed until a test lets go; it is rolled back then. */
import type { Database, Query } from '../../src/kit/database/pool.ts';

export type Held = AsyncDisposable & { readonly letGo: () => Promise<void> };

/** @param begin text of a statement, or what runs statements; done once this function has returned */
export async function holdOpen(
  { transaction }: Pick<Database, 'transaction'>,
  begin: string | ((query: Query) => Promise<unknown>),
): Promise<Held> {
  const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isOver = false;
  const held = transaction(async (query) => {
    await query({ text: 'set local idle_in_transaction_session_timeout = 0' });
    await (typeof begin === 'string' ? query({ text: begin }) : begin(query));
    begun.resolve();
    await over.promise;
    throw new Error('rolled back');
  }).catch((error: unknown) => {
    if (!isOver) throw error;
  });
  await Promise.race([begun.promise, held]);
  const letGo = async () => {
    isOver = true;
    over.resolve();
    await held;
  };
  return { letGo, [Symbol.asyncDispose]: letGo };
}
