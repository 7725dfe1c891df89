/** Goal: spellings of a name are one person, and names of two people are not. */
import { expect, test } from 'vitest';
import { nameOf } from '../../../../src/kit/access/identities.ts';
import { foldName } from '../../../../src/kit/words/principal.ts';

test.each([
  ['Éva', 'éva'],
  ['Éva', 'E\u0301va'],
  ['Éva', 'Ｅ\u0301ＶＡ'],
  ['Ann', ' ＡＮＮ '],
  ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'],
  ['οδυσσευσ', 'οδυσσευς'],
  ['Weiß', 'WEISS'],
  ['WEIẞ', 'weiß'],
  ['İpek', 'I\u0307pek'],
  ['IRIS', 'iris'],
  ['ﬁona', 'Fiona'],
  ['Ǆora', 'ǆora'],
])('%s and %s are one person', (name, other) => {
  expect(foldName(name)).toBe(foldName(other));
});

test('Éva and Eva are two people', () => {
  expect(foldName('Éva')).not.toBe(foldName('Eva'));
});

test('a name of any character is folded as its capitals, its small letters and its decomposition are', () => {
  const broken: string[] = [];
  for (let code = 0x20; code < 0x2_0000; code++) {
    const character = String.fromCodePoint(code);
    if (/\p{Cs}|\p{Cn}|\p{Co}/u.test(character)) continue;
    const name = `a${character}b`;
    const folded = foldName(name);
    const spellings = [
      ...[name.toUpperCase(), name.toLowerCase(), name.normalize('NFD')],
      ...[name.normalize('NFKD'), name.normalize('NFC'), folded],
    ];
    if (spellings.some((spelling) => foldName(spelling) !== folded)) broken.push(character);
  }
  expect(broken).toEqual([]);
});

test.each([
  ['a variation selector', 'Ann\ufe0f'],
  ['a joiner of graphemes', 'A\u034fnn'],
  ['a Hangul filler', 'Ann\u3164'],
  ['a zero-width space', 'Ann\u200b'],
])('a name with %s, which nobody sees, is refused', (_name, name) => {
  expect(() => nameOf(name)).toThrow(/cannot be a person's name/);
});

test.each([
  ['Ann  Lee', 'Ann Lee'],
  ['Ann\u00a0Lee', 'Ann Lee'],
  ['Ann\u3000\u2003Lee ', 'Ann Lee'],
])('spaces within %j are one space', (name, expected) => {
  expect(nameOf(name)).toBe(expected);
});
