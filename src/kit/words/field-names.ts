import type { z } from 'zod';

/** The fields of a schema's objects, or none if the schema does not list fields. */
export function fieldNamesAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  return schemasAt(schema, path).flatMap(({ def }) =>
    def.type === 'object' ? Object.keys(def.shape) : [],
  );
}

/** Whether a field may be left out. */
export function isOptionalAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): boolean {
  return schemasAt(schema, path).some(({ def }) => ['optional', 'default'].includes(def.type));
}

type Inner = z.core.$ZodTypes['_zod'];

/** The schemas that a value at a path is checked by, the outer ones first. */
function schemasAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): Inner[] {
  const own = (schema as z.core.$ZodTypes)._zod;
  return [...(path.length === 0 ? [own] : []), ...innerOf(own, path)];
}

function innerOf({ def }: Inner, path: readonly PropertyKey[]): Inner[] {
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'readonly':
      return schemasAt(def.innerType, path);
    case 'pipe':
      return schemasAt(def.in, path);
    case 'union':
      return def.options.flatMap((option) => schemasAt(option, path));
    case 'array':
      return path.length === 0 ? [] : schemasAt(def.element, path.slice(1));
    case 'object': {
      const [first, ...rest] = path;
      const field = first === undefined ? undefined : def.shape[String(first)];
      return field === undefined ? [] : schemasAt(field, rest);
    }
    default:
      return [];
  }
}
