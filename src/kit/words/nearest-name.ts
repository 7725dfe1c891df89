import { distance } from 'fastest-levenshtein';

/** An edit in three characters finds `device_id` for `devise_id`; case and punctuation do not count. More edits find wrong names. */
const EDITS_PER_CHAR_MAX = 1 / 3;
/** Longer names are skipped: a comparison takes time by the product of both lengths. */
const CHARS_MAX = 64;

/** The name with the fewest edits, or undefined if all are too far. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  if (given.length > CHARS_MAX) return undefined;
  const plain = toPlain(given);
  let nearest: string | undefined;
  let least = plain.length * EDITS_PER_CHAR_MAX;
  for (const name of names) {
    const edits = distance(plain, toPlain(name));
    if (edits > least || (edits === least && nearest !== undefined)) continue;
    [nearest, least] = [name, edits];
  }
  return nearest;
}

function toPlain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** A longer list hides the sentence that it ends; the list of transactions has more than 30 parameters. */
const LISTED_NAMES_MAX = 40;

/** Ends the sentence that a name is not a field or parameter: by the nearest one, or by all. */
export function knownNames(
  key: string,
  names: readonly string[],
  noun: 'field' | 'parameter',
): string {
  const nearest = nearestName(key, names);
  if (nearest !== undefined) return `; ${nearest} is`;
  if (noun === 'parameter' && names.length === 0) return ': there are none';
  return names.length > 0 && names.length <= LISTED_NAMES_MAX
    ? `: the ${noun}s are ${names.join(', ')}`
    : '';
}
