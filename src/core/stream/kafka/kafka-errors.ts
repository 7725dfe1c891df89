/** Errors of brokers, which stand inside of others. */

/** True where the log has nothing at the offset that was asked for. */
export const isOutOfRange = (thrown: unknown): boolean => says(thrown, 'OFFSET_OUT_OF_RANGE');

function says(thrown: unknown, apiId: string): boolean {
  if (!(thrown instanceof Error)) return false;
  if ('apiId' in thrown && thrown.apiId === apiId) return true;
  const inner = thrown instanceof AggregateError ? thrown.errors : [];
  return [...inner, thrown.cause].some((one) => says(one, apiId));
}
