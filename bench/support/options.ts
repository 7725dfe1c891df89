/** Options of a bench: whole numbers, each with its default and bounds, and others as they are given. */
import type { ParseArgsOptionsConfig } from 'node:util';
import { integerOption, parseArguments } from '../../src/kit/command/command.ts';

export const TEXT = { type: 'string' } as const;

type Whole = {
  /** Default; several are a list, `1000,100,1`. */
  readonly or: number | readonly number[];
  readonly max: number;
  /** 1 unless it is given. */
  readonly min?: number;
};
type Read<One extends Whole> = One['or'] extends number ? number : number[];

export function readOptions<
  const Wholes extends Readonly<Record<string, Whole>>,
  const Others extends ParseArgsOptionsConfig,
>(args: string[], wholes: Wholes, others: Others) {
  const texts = Object.fromEntries(Object.keys(wholes).map((name) => [name, TEXT]));
  const { values } = parseArguments(args, { ...others, ...texts });
  const given: Readonly<Record<string, unknown>> = values;
  const numbers = Object.entries(wholes).map(([name, { or, max, min = 1 }]) => {
    const text = given[name] === undefined ? String(or) : String(given[name]);
    const parts = typeof or === 'number' ? [text] : text.split(',');
    const read = parts.map((part) => integerOption(`--${name}`, part, { min, max }, min));
    return [name, typeof or === 'number' ? read[0] : read];
  });
  // The types of what was read follow from the options.
  return {
    values: values as ReturnType<typeof parseArguments<Others>>['values'],
    numbers: Object.fromEntries(numbers) as { [Name in keyof Wholes]: Read<Wholes[Name]> },
  };
}
