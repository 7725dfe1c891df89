import { describe, expect, test } from 'vitest';
import { readStopSettings } from '../../../../src/kit/config/stop-settings.ts';

describe('readStopSettings', () => {
  test('reads what is stopped, and leaves other variables alone', () => {
    const environment = {
      MARKET_1_ENABLED: 'false',
      M1_CORRIDOR_UK_NG_ENABLED: 'false',
      M2_CORRIDOR_US_EG_ENABLED: 'true',
      FEATURE_ENABLED: 'perhaps',
    };
    expect(readStopSettings(environment)).toEqual({
      stopped: [
        { name: 'MARKET_1_ENABLED', market: 'market_1', scope: 'market' },
        { name: 'M1_CORRIDOR_UK_NG_ENABLED', market: 'market_1', scope: 'corridor:UK-NG' },
      ],
      problems: [],
    });
  });

  test.each([
    ['MARKET_1_ENABLED', '0', "MARKET_1_ENABLED: must be true or false, not '0'"],
    ['MARKET_ONE_ENABLED', 'false', 'MARKET_ONE_ENABLED: must be MARKET_1_ENABLED'],
    ['M1_CORRIDOR_UKNG_ENABLED', 'false', 'M1_CORRIDOR_UKNG_ENABLED: must be MARKET_1_ENABLED'],
  ])('%s=%s is a problem', (name, value, problem) => {
    const { stopped, problems } = readStopSettings({ [name]: value });
    expect(stopped).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});
