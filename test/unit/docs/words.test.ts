/** Goal: one word names one thing. Method: words that the glossary replaced are searched in documents and comments. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../support/risk.ts';
import { readSources } from '../../support/source-files.ts';

/** Expressions that are no longer used, with the word that replaced each of them. */
const RETIRED: readonly (readonly [RegExp, string])[] = [
  [/\bwhoever\b/i, 'the process, client or person that …'],
  [/\bby one more than\b/i, 'frauds / (matured siblings + 1)'],
  [/\bthe way in\b/i, 'ingest'],
  [/\btaken for complete\b/i, 'count as complete'],
  [/\bplaces? in flight\b|\bholds? no place\b/i, 'slot'],
  [/\b(?:model|release|rollout) (?:is |was )?taken back\b|\btakes? a model back\b/i, 'rolled back'],
];
/** Names of code that nobody could guess, with those that replaced them. */
const RETIRED_NAMES: readonly (readonly [RegExp, string])[] = [
  [/\bgoFirst\b|go-first/, 'raisePriority'],
  [/\b(?:create)?Patience(?:Options)?\b|\bpatienceMs\b/, 'Retries, outageMsMax, quietMsMax'],
  [/\bModelShelf\b|\bmodel-shelf\b/, 'ModelCache'],
  [/\bTakeRoom\b|\bcreateRoom\b/, 'TakeBytes, createArena'],
  [/\bVisit\b/, 'BatchParty, AdmittedRequest'],
  [/\bTakeTurn\b|\bcreateTurns\b/, 'WaitForCpu, createCpuQueue'],
  [/\bSurroundings\b|\bWorldlyFields\b/, 'IngestContext, ContextFields'],
  [
    /\btell(?:Profiles|LeftBatches|Degradation|Models)\b|tell-(?:profiles|left)/,
    'a verb: report …',
  ],
  [/\blookIfDue\b|\blookOnce\b|\blookAndTell\b/, 'watch, refresh, check'],
];
/** Beginnings of comments without a noun; `This` and `That` may stand before a noun. */
const NO_SUBJECT =
  /^(?:Of|Told|Whose|Which|What|Who|Whoever|One|It|Its|They|Their|These|Those|Both)(?![\w-])/;
const COMMENT = /^\s*(?:\/\*\*?|\/\/|\*(?!\/)|--) ?(.*?)(?: ?\*\/)?$/;
const FIRST_PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];

type Line = { readonly place: string; readonly text: string; readonly isFirst: boolean };

/** Comments by line; `isFirst` where a comment begins. */
function commentLines(): Line[] {
  const folders = ['src', 'console/src', 'bench', 'test'];
  const sources = folders.flatMap((folder) => readSources(folder, /\.(tsx?|lua|css)$/));
  return sources
    .filter(({ path }) => !path.endsWith('words.test.ts'))
    .flatMap(({ path, text }) => {
      let isInside = false;
      return text.split('\n').flatMap((line, index): Line[] => {
        const comment = COMMENT.exec(line)?.[1];
        const isFirst = !isInside && (comment ?? '') !== '';
        isInside = comment !== undefined && (isInside || isFirst) && !line.endsWith('*/');
        return comment === undefined
          ? []
          : [{ place: `${path}:${index + 1}`, text: comment, isFirst }];
      });
    });
}

function documentLines(): Line[] {
  const pages = FIRST_PAGES.map((path) => ({
    path,
    text: readFileSync(join(REPOSITORY, path), 'utf8'),
  }));
  return [...pages, ...readSources('docs', /\.md$/)].flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, index) => ({ place: `${path}:${index + 1}`, text: line, isFirst: false })),
  );
}

const comments = commentLines();

test.each(RETIRED)('no document and no comment says %s', (retired) => {
  const found = [...documentLines(), ...comments].filter(({ text }) => retired.test(text));
  expect(found.map(({ place }) => place)).toEqual([]);
});

test.each(RETIRED_NAMES)('no source and no document has the name %s', (retired) => {
  const sources = ['src', 'bench', 'test'].flatMap((folder) => readSources(folder, /\.(ts|lua)$/));
  const found = sources.filter(
    ({ path, text }) =>
      !path.endsWith('words.test.ts') && (retired.test(text) || retired.test(path)),
  );
  const documents = documentLines().filter(({ text }) => retired.test(text));
  expect([...found.map(({ path }) => path), ...documents.map(({ place }) => place)]).toEqual([]);
});

test('every comment begins with its subject', () => {
  expect(comments.length).toBeGreaterThan(5000);
  const found = comments.filter(({ text, isFirst }) => isFirst && NO_SUBJECT.test(text));
  expect(found.map(({ place }) => place)).toEqual([]);
});
