/**
 * Goal: every signal and setting that the documents name exists. Method: the names are looked up in
 * docs/reference.md, which the code makes.
 */
import { expect, test } from 'vitest';
import { readText } from '../ship/ship-files.ts';

const DOCUMENTS = [
  'docs/concepts.md',
  'docs/day-to-day.md',
  'docs/glossary.md',
  'docs/models.md',
  'docs/operations.md',
  'docs/runbooks.md',
];
/** Settings that docker-compose.yml alone reads. */
const COMPOSE_SETTINGS = ['RISK_PUBLISH_ADDRESS', 'RISK_PUBLISH_PORT'];

test.each(DOCUMENTS)('%s names metrics and settings that exist', (document) => {
  const reference = readText('docs/reference.md');
  const named = readText(document).match(/\b(?:risk|RISK)_\w+/g) ?? [];
  const isUnknown = (name: string) =>
    !COMPOSE_SETTINGS.includes(name) && !reference.includes(`\`${name}\``);
  expect(named.filter(isUnknown)).toEqual([]);
});
