import type { z } from 'zod';

/** The fields of a schema's objects, or none if the schema does not list fields. */
export function fieldNamesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return fieldNamesAt(def.innerType, path);
    case 'pipe':
      return fieldNamesAt(def.in, path);
    case 'union':
      return def.options.flatMap((option) => fieldNamesAt(option, path));
    case 'array':
      return path.length === 0 ? [] : fieldNamesAt(def.element, path.slice(1));
    case 'object': {
      const [first, ...rest] = path;
      if (first === undefined) return Object.keys(def.shape);
      const field = def.shape[String(first)];
      return field === undefined ? [] : fieldNamesAt(field, rest);
    }
    default:
      return [];
  }
}
