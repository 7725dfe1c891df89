/** The parameter `fields`: names, with commas between them, of what a row of an answer or of a file is to have. */
import type { z } from 'zod';
import { given } from './describe-issue.ts';
import { shown } from './list-parameters.ts';

/** Names of the fields that a row is to have. */
export type Fields = ReadonlySet<string>;

/**
 * Reads the text of the parameter.
 * @param names that may be asked for
 * @param id the field that each row has
 */
export const readFields =
  (names: readonly string[], id: string) =>
  (text: string, { issues }: z.core.ParsePayload): Fields => {
    const named = text.split(',');
    for (const name of new Set(named)) {
      if (names.includes(name)) continue;
      const message = `must be names of fields with commas between them, not ${given(name)}: ${names.join(', ')}`;
      issues.push({ code: 'custom', message, input: text });
    }
    return new Set([id, ...named]);
  };

/** Metadata of the parameter: the document says by a pattern which names there are. */
export function shownFields(names: readonly string[], example: string, description: string) {
  const { override, ...meta } = shown(example, description);
  const name = `(${names.join('|').replaceAll('.', '[.]')})`;
  return { ...meta, override: { ...override, pattern: `^${name}(,${name})*$` } };
}

/**
 * Makes a function that leaves out of a row what was not asked for; `score.verdict` is the field `verdict` of the field `score`. Fields
 * that nobody can ask for stay, as `releases_held` does.
 */
export function selectFields(
  names: readonly string[],
  fields: Fields | undefined,
): (row: object) => object {
  if (fields === undefined) return (row) => row;
  const paths = [...fields];
  const selectIn = (prefix: string): ((row: object) => object) => {
    const left = new Set<string>();
    const inside = new Map<string, (row: object) => object>();
    for (const path of names) {
      const name = path.slice(prefix.length);
      if (!path.startsWith(prefix) || name.includes('.') || fields.has(path)) continue;
      const isLeft = !paths.some((selected) => selected.startsWith(`${path}.`));
      if (isLeft) left.add(name);
      else inside.set(name, selectIn(`${path}.`));
    }
    return (row) => {
      const selected: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(row)) {
        if (left.has(name)) continue;
        const select = value === null ? undefined : inside.get(name);
        selected[name] = select === undefined ? value : select(value);
      }
      return selected;
    };
  };
  return selectIn('');
}
