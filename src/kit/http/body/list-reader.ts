/** Bodies that are one list. */
import { z } from 'zod';
import type { Sliced } from '../../process/pauses.ts';
import { DESCRIBED } from '../../words/describe-issue.ts';
import { type FieldError, fieldErrors, InvalidFields } from '../../words/field-errors.ts';
import { checkFields } from './body.ts';
import { sureCheck } from './sure-check.ts';

/** Items between two pauses. More: wrong items hold the thread. Fewer: pauses take longer than what is between them. */
const SLICE_ITEMS = 16;

/**
 * Reads a body that is one list, checked in two steps, so that a million items are refused cheaply.
 * @param otherwise what a sender of one item is told besides
 */
export function listReader<Element extends z.ZodObject>(
  name: string,
  element: Element,
  elementsMax: number,
  otherwise = '',
): (value: unknown) => Sliced<readonly z.output<Element>[]> {
  const envelope = z.strictObject({
    [name]: z.array(z.unknown()).min(1).max(elementsMax),
  });
  const isSurelyElement = sureCheck(element);
  return function* (value) {
    if (typeof value !== 'object' || value === null || !(name in value)) {
      const detail = `must be an object, as {"${name}": […]}${otherwise}`;
      throw new InvalidFields([{ pointer: '', detail }]);
    }
    const found = checkFields(envelope, value)[name] ?? [];
    const read: z.output<Element>[] = [];
    const errors: FieldError[] = [];
    for (const [index, listed] of found.entries()) {
      if (index % SLICE_ITEMS === 0) yield;
      if (isSurelyElement(listed)) {
        read.push(listed as z.output<Element>);
        continue;
      }
      const parsed = element.safeParse(listed, DESCRIBED);
      if (parsed.success) read.push(parsed.data);
      else errors.push(...fieldErrors(element, parsed.error, [name, index]));
    }
    if (errors.length > 0) throw new InvalidFields(errors);
    return read;
  };
}
