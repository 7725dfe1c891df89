/** Reads a body that is one list, checked in two steps, so that a million items are refused cheaply. */
import { z } from 'zod';
import { InvalidFields } from '../../words/field-error.ts';
import { checkFields } from './body.ts';
import { sureCheck } from './sure-check.ts';

/** @param otherwise what a sender of one item is told besides */
export function listReader<Element extends z.ZodObject>(
  name: string,
  element: Element,
  elementsMax: number,
  otherwise = '',
): (value: unknown) => readonly z.output<Element>[] {
  const envelope = z.strictObject({
    [name]: z.array(z.unknown()).min(1).max(elementsMax),
  });
  const items = z.array(element);
  const isSurelyElement = sureCheck(element);
  return (value) => {
    if (typeof value !== 'object' || value === null || !(name in value)) {
      const detail = `must be an object, as {"${name}": […]}${otherwise}`;
      throw new InvalidFields([{ pointer: '', detail }]);
    }
    const found = checkFields(envelope, value)[name] ?? [];
    if (found.every(isSurelyElement)) return found as z.output<Element>[];
    return checkFields(items, found, [name]);
  };
}
