/**
 * Goal: every signal and setting that the documents name exists. Method: the names are looked up in
 * docs/reference.md, which the code makes.
 */
import { expect, test } from 'vitest';
import { ROLES } from '../../../src/kit/words/principal.ts';
import { readText } from '../ship/ship-files.ts';
import { DOCUMENTS } from './documents.ts';

/** A changelog also names what is gone; a record names what was tried. */
const NAMED = DOCUMENTS.filter((name) => name !== 'CHANGELOG.md' && !name.startsWith('docs/adr/'));
/** Settings that docker-compose.yml alone reads. */
const COMPOSE_SETTINGS = ['RISK_PUBLISH_ADDRESS', 'RISK_PUBLISH_PORT'];

test.each(NAMED)('%s names metrics and settings that exist', (document) => {
  const reference = readText('docs/reference.md');
  const named = readText(document).match(/\b(?:risk|RISK)_\w+/g) ?? [];
  const isUnknown = (name: string) =>
    !COMPOSE_SETTINGS.includes(name) &&
    !ROLES.some((role) => role === name) &&
    !reference.includes(`\`${name}\``);
  expect(named.filter(isUnknown)).toEqual([]);
});
