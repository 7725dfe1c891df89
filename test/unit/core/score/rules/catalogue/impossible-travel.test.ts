import { impossibleTravel } from '../../../../../../src/core/score/rules/catalogue/impossible-travel.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(impossibleTravel, {
  fires: { country_change_hours: 0.5 },
  measures: 2.5,
  detail: 'Another country 0.5 hours after the last one',
  silent: { 'time enough for the journey': { country_change_hours: 2.6 } },
  needs: ['country_change_hours'],
});
