/**
 * Goal: comments and documents name what they speak of, and names are those of the glossary. Method: a machine finds pronouns
 * that stand where a noun should, and retired names.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../support/risk.ts';
import { readSources } from '../../support/source-files.ts';
import { DOCUMENTS } from './documents.ts';

/** Words after which `this`, `that`, `these`, `those` and `one` stand alone, as no noun follows. */
const NO_NOUN =
  'a|after|also|an|and|are|as|asks|at|before|belongs?|both|but|by|can|cannot|comes?|costs?|could|did|do|does|ends?|for|from|gives?|goes|had|has|have|holds?|if|in|into|is|it|keeps?|lies|make|makes|may|means|must|names|no|nobody|not|of|on|one|only|or|says|should|so|stands?|stays?|takes?|tells?|than|that|the|then|they|to|under|until|was|waits?|were|when|where|which|while|who|whose|will|with|without|would';
const ALONE = String.raw`(?=[\s]*(?:[,.;:)]|$)|\s+(?:${NO_NOUN})(?![\w-]))`;
const BEGINS = new RegExp(
  String.raw`^(?:It|Its|They|Their|Whose|(?:This|That|These|Those|One)\b${ALONE})(?![\w-])`,
);
const PRONOUN = new RegExp(
  String.raw`(?<![\w-])(?:it|its|itself|they|them|their|ones|(?:those|these|one)${ALONE})(?![\w-])`,
  'gi',
);
/** Words that a machine can tell for a noun: a determiner with the word after it, code, a name, a plural or a word of the glossary. */
const NOUN = new RegExp(
  [
    String.raw`\b(?:a|an|the|each|every|any|no|all|another|two|three|several|both|most|some|this|that|these|those|one)\s+(?!(?:${NO_NOUN})\b)[a-z][\w-]{2,}`,
    '`|[$/<>=]|_|\\d',
    String.raw`(?<=\S\s)[A-Z]\w+`,
    String.raw`\b(?:accounts?|answers?|batch(?:es)?|bytes|calls?|columns?|corridors?|entr(?:y|ies)|events?|features?|keys?|labels?|lines?|merchants?|models?|months?|people|process(?:es)?|profiles?|reads?|requests?|rows?|rules?|scores?|statements?|streams?|text|times?|transactions?|values?|workers?|writes?)\b`,
  ].join('|'),
);

/** A clause that begins with a pronoun in place of a noun. */
const CLAUSE = new RegExp(
  String.raw`[,;:.]\s+((?:one|those)\b${ALONE}|ones\b|others\b|that of\b)`,
  'gi',
);
const WORDS_BEFORE = 5;

/** Names that an item, a place and so on had; the contract has `items`, and Node the others. */
const RETIRED =
  /^(?:items?|held|sent|places?|legs?|stretch(?:es)?|visits?|sides?|keep|front|hurry)$/;
const FOREIGN = new Set([
  'items',
  'headersSent',
  // A name of the contract.
  'releases_held',
  'keepAlive',
  'keepAliveTimeout',
  'shouldKeepAlive',
]);
/** Comments, texts and regular expressions are no names; a template's values are lost with it. */
const NO_CODE =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g;
const COMMENT =
  /\/\*\*?([\s\S]*?)\*\/|((?:^[ \t]*(?:\/\/|--)[^\n]*\n)+)|(?<=[;,{})\]]) *\/\/([^\n]*)/gm;

type Sentence = { readonly place: string; readonly text: string; readonly isFirst: boolean };

function toSentences(place: string, text: string): Sentence[] {
  const plain = text
    .replace(/^[ \t]*(?:\*|\/\/|--)[ \t]?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
  return plain
    .split(/(?<=[.?!:])\s+(?=[A-Z`])/)
    .map((one, index) => ({ place, text: one, isFirst: index === 0 }));
}

const isVague = ({ text }: Sentence) => (text.match(PRONOUN)?.length ?? 0) >= 2 && !NOUN.test(text);
const isHeadless = ({ text }: Sentence) => BEGINS.test(text);

/** The words around the beginning of each clause that begins with a pronoun, where no word before the pronoun is a noun. */
function headlessClauses({ text }: Pick<Sentence, 'text'>): string[] {
  return [...text.matchAll(CLAUSE)].flatMap(({ index, 1: pronoun }) => {
    const before = text.slice(0, index).split(/\s+/).slice(-WORDS_BEFORE).join(' ');
    return NOUN.test(before) ? [] : [`${before}, ${pronoun}`];
  });
}

const sources = readSources('src', /\.(ts|lua)$/);
const sentences = sources.flatMap(({ path, text }) =>
  [...text.matchAll(COMMENT)].flatMap((match) => toSentences(path, match.slice(1).join(''))),
);

/** Prose of the documents: no code, no tables, a paragraph or an item of a list each. */
const prose = DOCUMENTS.flatMap((path) =>
  readFileSync(join(REPOSITORY, path), 'utf8')
    .replace(/^```[\s\S]*?^```$|^\|.*$|^#.*$/gm, '')
    .split(/\n\n|\n(?= *(?:-|\d+\.) )/)
    .flatMap((text) => toSentences(path, text.replace(/^ *(?:-|\d+\.) /, ''))),
);

const shown = ({ place, text }: Sentence) => `${place}: ${text.slice(0, 80)}`;

test('no comment begins with a pronoun', () => {
  const found = sentences.filter((one) => one.isFirst && isHeadless(one));
  expect(found.map(shown)).toEqual([]);
});

test('no sentence of a comment has two pronouns and no noun', () => {
  expect(sentences.filter(isVague).map(shown)).toEqual([]);
});

test('no clause of a comment begins with a pronoun without a noun shortly before', () => {
  const found = sentences.flatMap((sentence) =>
    headlessClauses(sentence).map((clause) => `${sentence.place}: ${clause}`),
  );
  expect(found).toEqual([]);
});

test('no sentence of a document begins with a pronoun, or has two and no noun', () => {
  const found = prose.filter((one) => isHeadless(one) || isVague(one));
  expect(found.map(shown)).toEqual([]);
});

test('no name in src is a retired one', () => {
  const found = sources
    .filter(({ path }) => path.endsWith('.ts') && !path.endsWith('api-types.ts'))
    .flatMap(({ path, text }) => {
      const names = new Set(text.replace(NO_CODE, '').match(/\b[A-Za-z]\w*/g));
      const parts = (name: string) => name.split(/(?=[A-Z])|_/).map((part) => part.toLowerCase());
      return [...names]
        .filter((name) => !FOREIGN.has(name) && parts(name).some((part) => RETIRED.test(part)))
        .map((name) => `${path}: ${name}`);
    });
  expect(found).toEqual([]);
});

test('no name in src is `one`', () => {
  const found = sources
    .filter(({ path, text }) => path.endsWith('.ts') && /\bone\b/.test(text.replace(NO_CODE, '')))
    .map(({ path }) => path);
  expect(found).toEqual([]);
});

test('the rules find what they are for', () => {
  const [first] = toSentences('', 'It is the one that waits.\n * Those of others are theirs.');
  expect(
    [first, ...toSentences('', 'One of them takes it.')].filter((one) => one && isHeadless(one)),
  ).toHaveLength(2);
  expect(isHeadless({ place: '', text: 'This process waits.', isFirst: true })).toBe(false);
  expect(isVague({ place: '', text: 'Gives it to those that they ask.', isFirst: true })).toBe(
    true,
  );
  expect(isVague({ place: '', text: 'The worker gives it to those.', isFirst: true })).toBe(false);
  const clausesOf = (text: string) => headlessClauses({ text }).length;
  expect(clausesOf('All wait, one that is late included.')).toBe(1);
  expect(clausesOf('The worker waits, one that is late included.')).toBe(0);
  expect(clausesOf('All wait, one late entry included.')).toBe(0);
});
