/**
 * Goal: an id is found by every spelling of it that looks the same, and by a URL; what nobody sees is refused by name. Method: tables of
 * spellings, and texts of any characters.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DESCRIBED, issueText } from '../../../../src/kit/words/describe-issue.ts';
import { idText, plainText, trimBlanks } from '../../../../src/kit/words/plain-text.ts';

const id = idText(128);
const read = (text: string) => {
  const { data, error } = id.safeParse(text, DESCRIBED);
  return data ?? error?.issues.map(issueText).join();
};

test.each([
  ['decomposed', 'Jose\u0301', 'Jos\u00e9'],
  ['Hangul of single letters', '\u1112\u1161\u11ab', '\ud55c'],
  ['marks in another order', 'q\u0307\u0323', 'q\u0323\u0307'],
  ['the sign of Angstrom', '\u212b17', '\u00c517'],
  ['a character of compatibility, which looks otherwise', '\ufb01n', '\ufb01n'],
  ['a blank behind', 'acc_17 ', 'acc_17'],
  ['blanks and a tab in front', ' \t acc_17', 'acc_17'],
  ['a no-break space', '\u00a0acc_17\u00a0', 'acc_17'],
  ['an ideographic and a narrow space', '\u3000acc_17\u202f', 'acc_17'],
])('an id of %s becomes its one spelling', (_what, text, spelled) => {
  expect(read(text)).toBe(spelled);
});

test.each([
  ['a zero-width space', 'acc\u200b17', 'U+200B'],
  ['a zero-width joiner', 'a\u200d', 'U+200D'],
  ['a mark of direction', 'a\u200e', 'U+200E'],
  ['an override of direction', '\u202ea', 'U+202E'],
  ['a byte order mark in front', '\ufeffa', 'U+FEFF'],
  ['a soft hyphen', 'acc\u00ad17', 'U+00AD'],
  ['a tag', 'a\u{e0041}', 'U+E0041'],
  ['a variation selector', 'a\ufe0f', 'U+FE0F'],
  ['a Hangul filler', '\u3164', 'U+3164'],
  ['a line separator', 'a\u2028', 'U+2028'],
])('an id with %s is refused by the name of the character', (_what, text, code) => {
  expect(read(text)).toContain(`must have no characters that nobody sees, not ${code} in '`);
});

test.each([
  ['.', "must be a name that a URL can carry, not '.'"],
  ['..', "must be a name that a URL can carry, not '..'"],
  ['\u00a0', 'must not be empty'],
  ['a\n', 'must not contain control characters'],
  ['\ud800', 'must not contain lone surrogates'],
  ['😀'.repeat(129), 'must have at most 128 characters, not 129'],
])('%j says what an id is', (text, said) => {
  expect(read(text)).toBe(said);
});

test('128 characters are counted in the spelling that is kept, each as one', () => {
  expect(read(` ${'😀'.repeat(128)}`)).toBe('😀'.repeat(128));
  expect(read('e\u0301'.repeat(128))).toBe('\u00e9'.repeat(128));
  // The composition of this letter is excluded from NFC, in which the letter is two.
  expect(read('\u0958'.repeat(128))).toBe('must have at most 128 characters, not 256');
});

test('each id that is taken comes back from the path of a URL, and is taken again as it is', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'./\\%2eE?#;+ ~@:&=a\u0301é'), maxLength: 6 }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const spelled = id.safeParse(text).data;
      fc.pre(spelled !== undefined);
      const path = `/v1/accounts/${encodeURIComponent(spelled)}/profile`;
      const segments = new URL(path, 'http://localhost').pathname.split('/');
      expect(segments).toHaveLength(5);
      expect(decodeURIComponent(segments[3] ?? '')).toBe(spelled);
      expect(id.parse(spelled)).toBe(spelled);
      expect(id.parse(spelled.normalize('NFD'))).toBe(spelled);
    }),
    { numRuns: 1000 },
  );
});

test('a text for people keeps joiners of emoji and of Persian, and its form', () => {
  const note = '👩\u200d💻 می\u200cخواهم Jose\u0301';
  expect(plainText(500).parse(note)).toBe(note);
});

test('a long cell of blanks is trimmed at once', () => {
  const cell = `a${' '.repeat(1_000_000)}b`;
  expect(trimBlanks(` ${cell} `)).toBe(cell);
});
