/**
 * Goal: whatever XGBoost and LightGBM train is scored here as by the library, or refused by name. Method: two versions of each are
 * installed, train models on rows that were never seen here, and predict beside the engine. What cannot be installed is skipped.
 */
import { expect, test, vi } from 'vitest';
import { compareModels, type MadeModels } from './compare-models.ts';
import { here } from './here.ts';
import { openPython } from './python.ts';

const INSTALL_TEST_MS = 900_000;
vi.setConfig({ testTimeout: INSTALL_TEST_MS });
const SEEDS = ['11', '12', '13'];
const OLD = 'numpy==1.26.4 scipy==1.11.4 scikit-learn==1.3.2 joblib==1.3.2 threadpoolctl==3.5.0';
const NEW = 'numpy==2.3.5 scipy==1.16.3 scikit-learn==1.7.2 joblib==1.5.2 threadpoolctl==3.6.0';

/** XGBoost comes as its build for processors alone: a build for graphics cards is fifty times larger. */
const LIBRARIES = [
  { library: 'xgboost', version: '2.1.4', packages: `xgboost-cpu==2.1.4 ${OLD}` },
  { library: 'xgboost', version: '3.4.1', packages: `xgboost-cpu==3.4.1 ${NEW}` },
  { library: 'lightgbm', version: '3.3.5', packages: `lightgbm==3.3.5 ${OLD}` },
  { library: 'lightgbm', version: '4.7.0', packages: `lightgbm==4.7.0 narwhals==2.13.0 ${NEW}` },
] as const;

test.for(LIBRARIES)(
  'models of $library $version score as in the library',
  async ({ library, version, packages }, context) => {
    const run = await here(context, openPython(`${library}-${version}`, packages));
    for (const seed of SEEDS) {
      const made: MadeModels = JSON.parse(await run('models.py', library, seed));
      expect(made.version).toBe(version);
      for (const given of made.cases) compareModels(made, given);
    }
  },
);
