/**
 * Goal: a corridor that works off a backlog far behind the live traffic of the same merchant has profiles of its own, so that
 * neither rebuilds the other's, and each transaction counts once in the vectors of both. Method: folds over one real Redis and
 * Postgres by turns; each vector is held against one that is recomputed from Postgres alone.
 */
import { test } from 'vitest';
import { foldByTurns } from '../support/far-behind.ts';

test('a backlog and live traffic of a merchant do not rebuild each other', foldByTurns, 120_000);
