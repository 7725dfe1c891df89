/**
 * Documents made from the code are what the code of this commit makes. A stale one fails here;
 * `npx vitest run test/unit/docs --update` writes it anew.
 */
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/kit/config/config.ts';
import { environmentExample, reference } from './generated.ts';

describe('.env.example', () => {
  it('is what the settings say', async () => {
    await expect(environmentExample()).toMatchFileSnapshot('../../../.env.example');
  });

  it('changes nothing when it is used as it is', () => {
    const given = environmentExample()
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(given).toEqual([]);
  });

  it('is accepted with every line switched on', () => {
    const lines = environmentExample()
      .split('\n')
      .flatMap((line) => /^#([A-Z_]+)=(.*)$/.exec(line)?.slice(1, 3) ?? []);
    const pairs = lines.flatMap((name, index) =>
      index % 2 === 0 ? [[name, lines[index + 1] ?? ''] as const] : [],
    );
    const settings = readConfig(Object.fromEntries(pairs));
    expect('problems' in settings ? settings.problems : []).toEqual([]);
    expect(pairs.length).toBeGreaterThan(30);
  });
});

it('docs/reference.md is what the code says', async () => {
  await expect(reference()).toMatchFileSnapshot('../../../docs/reference.md');
});
