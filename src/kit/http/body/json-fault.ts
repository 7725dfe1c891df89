/** Says why a body or a line is no JSON: empty, not UTF-8, cut off, or where it breaks the grammar. */
import { isUtf8 } from 'node:buffer';
import { shortText } from '../../words/describe-issue.ts';
import { toError } from '../../words/failure.ts';

const LENIENT = new TextDecoder();
const REPLACEMENT = '\u{fffd}';
/** Longest part of a line that a message repeats. */
const EXCERPT_CHARS_MAX = 40;
/** Largest body in which a fault is searched, which takes twenty times as long as to parse the body. */
const SEARCHED_BYTES_MAX = 512 * 1024;

/**
 * @param bytes that could not be parsed
 * @param forLines what a sender of lines is told
 */
export function jsonFault(bytes: Uint8Array, forLines = ''): string {
  if (bytes.byteLength === 0) return 'The body is empty, and must be JSON.';
  if (!isUtf8(bytes)) return 'The body is not in UTF-8.';
  if (bytes.byteLength > SEARCHED_BYTES_MAX) return 'The body is not JSON.';
  const text = LENIENT.decode(bytes);
  const at = faultAt(text);
  if (at >= text.length) return 'The body is not JSON: it ends too early.';
  const before = text.slice(0, at).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const where = `line ${before.length}, column ${column}`;
  return endOf(text.slice(0, at)) === 'whole'
    ? `The body goes on behind a whole value of JSON, at ${where}${forLines}.`
    : `The body is not JSON: look at ${where}.`;
}

/**
 * A predicate of the line, with the column and a short part of it.
 * @param bytes that could not be parsed
 */
export function lineFault(bytes: Uint8Array): string {
  const text = LENIENT.decode(bytes);
  const isJsonAllowed = isUtf8(bytes);
  const at = isJsonAllowed ? faultAt(text) : text.indexOf(REPLACEMENT);
  const must = `must be ${isJsonAllowed ? 'JSON' : 'UTF-8'}, one object a line`;
  if (at < text.length) {
    const beginning = shortText(text.slice(at), EXCERPT_CHARS_MAX - 1);
    return `${must}, and is not from column ${at + 1} on: '${beginning}'`;
  }
  return `${must}, and ends too early, after column ${text.length}: '${ending(text)}'`;
}

function ending(text: string): string {
  const chars = [...text.slice(-2 * EXCERPT_CHARS_MAX)];
  const isCut = chars.length > EXCERPT_CHARS_MAX;
  const shown = isCut ? ['…', ...chars.slice(1 - EXCERPT_CHARS_MAX)] : chars;
  return shortText(shown.join(''), EXCERPT_CHARS_MAX);
}

/** Where a text stops to be JSON; its length where it ends too early. Each half is parsed, as the parser has no position for some faults. */
function faultAt(text: string): number {
  let [good, bad] = [0, text.length + 1];
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (endOf(text.slice(0, middle)) === undefined) bad = middle;
    else good = middle;
  }
  const isInWord = good < text.length && endOf(text.slice(0, good)) === 'open';
  return isInWord ? text.slice(0, good).search(/[a-z]*$/) : good;
}

/** How a text ends that is JSON as a whole, or would be with more behind it; undefined of any other text. */
function endOf(text: string): 'whole' | 'quoted' | 'open' | undefined {
  try {
    JSON.parse(text);
    return 'whole';
  } catch (error) {
    const said = toError(error).message;
    if (said.startsWith('Unterminated string')) return 'quoted';
    // Such a message quotes the text, so nothing else is looked for in it.
    if (said.startsWith('Unexpected token')) return undefined;
    const isAtEnd =
      said.startsWith('Unexpected end') || said.includes(` at position ${text.length} `);
    return isAtEnd ? 'open' : undefined;
  }
}
