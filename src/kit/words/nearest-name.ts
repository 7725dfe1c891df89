import { distance } from 'fastest-levenshtein';

/** One edit in three characters finds `device_id` for `devise_id`; case and punctuation do not count. More edits find wrong names. */
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

/** A longer list hides the sentence that it ends. */
const LISTED_FIELDS_MAX = 20;

/** Ends the sentence that a name is not a field: by the nearest one, or by all. */
export function knownFields(key: string, names: readonly string[]): string {
  const nearest = nearestName(key, names);
  if (nearest !== undefined) return `; ${nearest} is`;
  return names.length > 0 && names.length <= LISTED_FIELDS_MAX
    ? `: the fields are ${names.join(', ')}`
    : '';
}
