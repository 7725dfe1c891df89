/** Entity tags (RFC 9110, 8.8.3): the bytes of an answer differ by its encoding, so each encoding has a strong tag of its own. */

/** Encodings that answers are sent in. */
export const ENCODINGS = ['br', 'gzip'] as const;
const ENCODED = new RegExp(`-(${ENCODINGS.join('|')})"$`);

/** @param tag of the answer without an encoding */
export const encodedTag = (tag: string, encoding: string): string =>
  tag.replace(/"$/, `-${encoding}"`);

/** The tag of the answer before encoding, by the tag of an encoded answer in a header. */
export const tagIn = (header: string | undefined): string | undefined =>
  header?.replace(ENCODED, '"');
