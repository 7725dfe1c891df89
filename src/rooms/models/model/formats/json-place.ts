/** Reads parsed JSON of unknown shape, and names the place of whatever is wrong. */
import { refuse } from '../refusal.ts';

/** A value and its path. */
export type JsonPlace = { readonly value: unknown; readonly path: string };

export function parseJson(text: string): JsonPlace {
  try {
    return { value: JSON.parse(text), path: '' };
  } catch (error) {
    return refuse('file', `not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A required field. */
export function fieldOf(place: JsonPlace, name: string): JsonPlace {
  const field = optionalFieldOf(place, name);
  return field ?? refuse(join(place.path, name), 'is missing');
}

export function optionalFieldOf(place: JsonPlace, name: string): JsonPlace | undefined {
  const { value, path } = place;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse(path === '' ? 'file' : path, 'is no object');
  }
  const found: unknown = Object.getOwnPropertyDescriptor(value, name)?.value;
  return found === undefined ? undefined : { value: found, path: join(path, name) };
}

export function itemsOf({ value, path }: JsonPlace, length?: number): readonly unknown[] {
  if (!Array.isArray(value)) return refuse(path, 'is no array');
  if (length !== undefined && value.length !== length) {
    refuse(path, `has ${value.length} items, needs ${length}`);
  }
  return value;
}

export function textOf({ value, path }: JsonPlace): string {
  return typeof value === 'string' ? value : refuse(path, 'is no text');
}

export function textsOf(place: JsonPlace): string[] {
  return itemsOf(place).map((value, index) => textOf({ value, path: `${place.path}[${index}]` }));
}

/** A finite number. */
export function numberOf({ value, path }: JsonPlace): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  return refuse(path, 'is no finite number');
}

/** Finite numbers as doubles. Booleans count as 0 and 1. */
export function numbersOf(place: JsonPlace, length: number): Float64Array {
  const items = itemsOf(place, length);
  const numbers = new Float64Array(length);
  for (let index = 0; index < length; index++) {
    const item = items[index];
    const number = typeof item === 'boolean' ? Number(item) : item;
    if (typeof number !== 'number' || !Number.isFinite(number)) {
      return refuse(`${place.path}[${index}]`, 'is no finite number');
    }
    numbers[index] = number;
  }
  return numbers;
}

/** A whole number not below 0 that is written as a text of digits, or as a number. */
export function countOf({ value, path }: JsonPlace): number {
  const count = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0) return count;
  return refuse(path, 'is no whole number');
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
