import { newDevice } from '../../../../../../src/core/score/rules/catalogue/new-device.ts';
import { describeRule } from '../describe-rule.ts';

describeRule(newDevice, {
  fires: { first_device: 1, siblings: 30 },
  measures: 30,
  detail: 'First use of this device among 30 transactions',
  silent: { 'a known device': { first_device: 0 }, 'too few siblings': { siblings: 4 } },
  needs: ['first_device', 'siblings'],
});
