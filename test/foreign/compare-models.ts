/** Compares models that models.py has made with what the library gave for their rows. */
import { expect } from 'vitest';
import { loadModel, readModelFile } from '../../src/rooms/models/model/model.ts';
import { refusalOf } from '../unit/rooms/models/model/support.ts';

type MadeModel = { readonly name: string } & (
  | {
      readonly model: string;
      readonly probabilities: readonly number[];
      readonly trees: { readonly scoring: number; readonly inFile: number };
    }
  | {
      readonly model?: string;
      /** A file that is no text. */
      readonly base64?: string;
      /** The beginning of the refusal. */
      readonly refused: string;
    }
);

export type MadeModels = {
  readonly library: string;
  readonly version: string;
  /** Null is missing. */
  readonly rows: readonly (readonly (number | null)[])[];
  readonly cases: readonly MadeModel[];
};

/** A probability of a library is a float32, or a sum in another order. */
const NEAR = 1e-6;

export function compareModels({ rows }: MadeModels, made: MadeModel): void {
  const base64 = 'base64' in made ? made.base64 : undefined;
  const bytes = Buffer.from(base64 ?? made.model ?? '', base64 === undefined ? 'utf8' : 'base64');
  if ('refused' in made) {
    expect(refusalOf(() => loadModel(bytes)).startsWith(made.refused)).toBe(true);
    return;
  }
  const model = loadModel(bytes);
  const file = readModelFile(bytes);
  const ensemble = 'trees' in file ? file.trees.ensemble : undefined;
  const [scoring, inFile] = [ensemble?.roots.length, ensemble?.treesInFile];
  expect({ scoring, inFile: inFile ?? scoring }).toEqual(made.trees);
  const values = Float64Array.from(rows.flat(), (value) => value ?? Number.NaN);
  const batch = { rows: rows.length, values };
  const margins = model.marginOf(batch);
  for (const [row, margin] of margins.entries()) {
    const theirs = made.probabilities[row] ?? Number.NaN;
    expect(Math.abs(model.probabilityOf(margin) - theirs), `row ${row}`).toBeLessThan(NEAR);
  }
  const { base, values: parts } = model.contributionsOf(batch, margins, 'shapley');
  expect([...base, ...parts].every(Number.isFinite)).toBe(true);
}
