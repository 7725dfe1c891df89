/**
 * Runs `work` once per connection, waits for all, rethrows the first error. An error ends the shared reader,
 * and with it the work on the other connections.
 */
export async function onConnections(
  connections: number,
  work: () => Promise<void>,
): Promise<{ readonly failed: unknown } | undefined> {
  const ends = await Promise.allSettled(Array.from({ length: connections }, work));
  const failed = ends.find((end) => end.status === 'rejected');
  return failed === undefined ? undefined : { failed: failed.reason };
}
