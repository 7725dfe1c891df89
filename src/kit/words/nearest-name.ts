import { distance } from 'fastest-levenshtein';

/** `device_id` for `devise_id` and for `deviceId`: one edit in three characters, of letters and digits alone. */
const EDITS_PER_CHAR_MAX = 1 / 3;
/** Longer names are not meant to be one of ours; the search takes the product of both lengths. */
const CHARS_MAX = 64;

/** The name that is meant; undefined where none is near. */
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
