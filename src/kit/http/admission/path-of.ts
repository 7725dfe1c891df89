/** A target without dots and escapes is a path already: resolving such a target would change nothing. */
const PLAIN_TARGET = /^(?:\/[\w-]+)+(?:\?|$)/;

/** The path as the router sees it: a target may be absolute, have dot segments, and have any letter escaped. */
export function pathOf(target: string): string {
  if (PLAIN_TARGET.test(target)) return target;
  const url = URL.parse(target.startsWith('/') ? `http://localhost${target}` : target);
  const path = url?.pathname ?? target;
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
