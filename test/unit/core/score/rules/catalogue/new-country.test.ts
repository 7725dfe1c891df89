import { newCountry } from '../../../../../../src/core/score/rules/catalogue/new-country.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(newCountry, {
  fires: { first_country: 1, siblings: 30 },
  measures: 30,
  detail: 'First use from this country among 30 transactions',
  silent: { 'a known country': { first_country: 0 }, 'too few siblings': { siblings: 4 } },
  needs: ['first_country', 'siblings'],
});
