/**
 * Which streams a worker reads first. Profiles are kept in the memory of the worker that folded them, so a stream
 * that stays with one worker finds them there; read by all alike, each would outdate the others' copies.
 */
import type { StreamKeys } from '../stream/keys.ts';

/** The streams dealt out to the live workers in turn, both by name; everybody comes to the same result. */
export function ownStreams(
  streams: readonly StreamKeys[],
  workers: readonly string[],
  name: string,
): Set<string> {
  const names = [...new Set([...workers, name])].sort();
  const place = names.indexOf(name);
  const sorted = streams.map(({ transactions }) => transactions).sort();
  return new Set(sorted.filter((_, index) => index % names.length === place));
}
