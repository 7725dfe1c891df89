/**
 * Runs the same work on each of a number of connections. One that fails ends the reader they share, and with
 * it the others once they are answered: all have ended when this returns what the first of them threw.
 */
export async function onConnections(
  connections: number,
  work: () => Promise<void>,
): Promise<{ readonly failed: unknown } | undefined> {
  const ends = await Promise.allSettled(Array.from({ length: connections }, work));
  const failed = ends.find((end) => end.status === 'rejected');
  return failed === undefined ? undefined : { failed: failed.reason };
}
