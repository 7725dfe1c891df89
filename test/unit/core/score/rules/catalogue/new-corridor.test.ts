import { newCorridor } from '../../../../../../src/core/score/rules/catalogue/new-corridor.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(newCorridor, {
  fires: { first_corridor: 1, siblings: 30 },
  measures: 30,
  detail: 'First transfer along this corridor among 30 transactions',
  silent: { 'a known corridor': { first_corridor: 0 }, 'too few siblings': { siblings: 4 } },
  needs: ['first_corridor', 'siblings'],
});
