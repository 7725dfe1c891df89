/**
 * When the rows of tables end. Rows that decide, prove or audit are removed by people alone; by-products by age, after a
 * setting; and owed work when it is done. Core and each room list their own tables; test/integration/retention.test.ts
 * compares the lists with the catalogue.
 */
import type { Config } from '../config/config.ts';
import type { Purge } from './purge.ts';

export type Retention = {
  readonly tables: readonly string[];
  readonly ends: string;
  /** Days after which rows are removed by age; absent: none are. */
  readonly setting?: keyof Config;
  readonly purges?: readonly Purge[];
};
