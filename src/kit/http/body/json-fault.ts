/** Says why a body is no JSON: empty, not UTF-8, cut off, or where it breaks the grammar. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** @param bytes that could not be parsed */
export function jsonFault(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return 'The body is empty, and must be JSON.';
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return 'The body is not in UTF-8.';
  }
  return `The body is not JSON${whereOf(text)}.`;
}

/** Empty where the parser does not say where. */
function whereOf(text: string): string {
  try {
    JSON.parse(text);
  } catch (error) {
    const said = String(error);
    if (/end of JSON input|Unterminated/.test(said)) return ': it ends too early';
    const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(said) ?? [];
    if (line !== undefined) return `: look at line ${line}, column ${column}`;
  }
  return '';
}
