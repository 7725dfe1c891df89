/** Alerts that no cause here makes fire, and why. */
export const NOT_FIRED: Readonly<Record<string, string>> = {
  RuleFails: 'only code of a rule can throw, and no such code is shipped',
  RolledBack: 'needs a model or a rule set that fails in force',
  ModelLatency: 'needs a model whose call takes 100 ms, and none of that size is allowed',
  CacheMisses: 'needs Redis without profiles while most accounts are known',
  ModelDrift: 'needs thousands of scores beside a training',
  ModelInputsMissing: 'as ModelDrift',
  ModelOutcomes: 'as ModelDrift, with labels of a week',
  ModelWorse: 'looks a week back, which is 2.8 hours at a sixtieth',
  LabelsLate: 'as ModelWorse',
  KafkaDown: 'needs a Kafka beside the engine',
  KafkaTrimmed: 'as KafkaDown, with a retention of seconds',
  KeysUnfiltered: 'needs sealed slices of keys, which take weeks',
  EvidenceRefused: 'needs a log that was published, and a backup from before',
  EvidenceLate: 'needs keys, and a folder that cannot be written for minutes',
  ReviewOverflows: 'needs a policy with an overflow rule that is met',
};
