/** Goal: the link of each signal leads to a section of runbooks. Method: the page made from docs/runbooks.md. */
import { expect, test } from 'vitest';
import { runbooksPage } from '../../../../src/kit/http/problems-page.ts';
import { runbookOf, SIGNAL_NAMES } from '../../../../src/rooms/status/queries/live-figures.ts';

test('each signal has a section with a first command', async () => {
  const page = await runbooksPage();
  for (const signal of SIGNAL_NAMES) {
    const [, anchor = ''] = runbookOf(signal).split('#');
    const section = new RegExp(`<section id="${anchor}">[\\s\\S]+?</section>`).exec(page)?.[0];
    expect(section, anchor).toMatch(/<li><strong>First<\/strong>/);
  }
});
