/**
 * Commands of the documents. A drill runs a page's blocks as they stand there, so page and drill cannot differ: a block names
 * machines, files and moments by variables, which the drill sets.
 */

const FENCE = '```';

/** @returns the blocks of commands below a heading, up to the next heading */
export function blocksOf(page: string, heading: string): string[] {
  const blocks: string[] = [];
  let isBelow = false;
  let block: string[] | undefined;
  for (const line of page.split('\n')) {
    if (block === undefined) {
      if (line === `${FENCE}sh`) block = [];
      else if (/^#+ /.test(line)) isBelow = line.replace(/^#+ /, '') === heading;
    } else if (line === FENCE) {
      if (isBelow) blocks.push(block.join('\n'));
      block = undefined;
    } else {
      block.push(line);
    }
  }
  return blocks;
}
