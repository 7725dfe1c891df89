/** Adapts schemas to programs in other languages that read the document, and to members that later releases add to answers. */
import type { ZodOpenApiOverride } from 'zod-openapi';

export const publishSchema: ZodOpenApiOverride = ({ jsonSchema, io }) => {
  const { pattern, minimum, additionalProperties } = jsonSchema;
  if (pattern !== undefined) jsonSchema.pattern = portable(pattern);
  // Whole numbers that name no bound are counts and places in lists.
  if (minimum === Number.MIN_SAFE_INTEGER) jsonSchema.minimum = 0;
  if (io === 'output' && additionalProperties === false) delete jsonSchema.additionalProperties;
};

/** Python and Rust take `\d` for the digits of every script. */
function portable(pattern: string): string {
  return pattern.replaceAll('\\d', '[0-9]').replaceAll('\\/', '/');
}
