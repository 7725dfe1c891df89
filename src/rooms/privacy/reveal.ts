/** Replaces tokens by clear values in declared fields of an answer alone, as a client may write a token into any other field. */
import { isToken, type PersonalId, walkPath } from '../../core/domain/personal.ts';
import type { Subjects } from './subjects.ts';

type Members = Record<string, unknown>;
type Declared = {
  readonly ids: readonly PersonalId[];
  readonly paths: readonly { readonly path: readonly string[] }[];
  readonly subjects: Pick<Subjects, 'reveal'>;
};

/** @param text JSON */
export async function revealIn(text: string, { ids, paths, subjects }: Declared): Promise<string> {
  const answer: unknown = JSON.parse(text);
  const tokens: string[] = [];
  const found: { readonly holder: Members; readonly name: string }[] = [];
  const note = (holder: Members, name: string) => {
    const value = holder[name];
    if (typeof value !== 'string') return;
    tokens.push(value);
    found.push({ holder, name });
  };
  walk(answer, (holder) => {
    for (const id of ids) {
      const value = holder[id];
      if (typeof value === 'string' && isToken(id, value)) note(holder, id);
    }
    for (const { path } of paths) walkPath(holder['metadata'], path, note);
  });
  if (tokens.length === 0) return text;
  const values = await subjects.reveal(tokens);
  for (const { holder, name } of found) {
    const value = values.get(String(holder[name]));
    if (value !== undefined) holder[name] = JSON.parse(value);
  }
  return JSON.stringify(answer);
}

/** Visits each object of an answer, but none within metadata. */
function walk(value: unknown, each: (holder: Members) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const element of value) walk(element, each);
    return;
  }
  // Arrays and values without members have returned above.
  each(value as Members);
  for (const [name, member] of Object.entries(value)) if (name !== 'metadata') walk(member, each);
}
