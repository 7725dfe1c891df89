/** Rule sets, backtests and models. */
import type { Guards } from './guard.ts';

export const RULES: Guards = {
  'rule-set-life': {
    says: 'A rule set goes from a draft to an approved one in its order, and each step is on record.',
    shown: `GET /v1/rule-sets, POST /v1/rule-sets, GET /v1/rule-sets/{id}, PUT /v1/rule-sets/{id},
      POST /v1/rule-sets/{id}/submit, risk rules list, risk rules show, risk rules submit,
      console /rules, console /rules/:id`,
    test: 'integration/rooms/rules/rule-set-life.test.ts > from a draft to an approved rule set, in its order, and on record',
    mechanism: 'src/rooms/rules/rule-set-change.ts',
  },
  'rule-set-by-two': {
    says: 'A submitted rule set is approved once, and not without another person.',
    test: 'integration/rooms/rules/rule-set-life.test.ts > what was submitted > neither changes nor is approved without another person, also by SQL',
    mechanism: 'sql/0001_market.sql',
  },
  'rule-set-rollout': {
    says: 'Two people roll a rule set out, and one person rolls it back.',
    shown: `POST /v1/rule-sets/{id}/rollout, POST /v1/rule-sets/{id}/rollback, POST /v1/rule-sets/{id}/retire,
      risk rules rollout, risk rules rollback, risk rules retire`,
    test: 'integration/rooms/rules/rule-set-life.test.ts > a rollout by two people, a rollback by one, and the end',
    mechanism: 'src/rooms/rules/rule-set-change.ts',
  },
  'rule-outcomes': {
    says: 'Hits of each rule are counted by verdict and label.',
    shown: 'GET /v1/rules/outcomes, risk rules outcomes',
    test: 'integration/rooms/rules/rule-outcomes.test.ts > hits of each rule, by verdict and label',
    mechanism: 'src/rooms/rules/outcomes.ts',
  },
  'reason-codes': {
    says: 'The catalogue lists each reason and each feature in words.',
    shown: 'GET /v1/reason-codes, GET /v1/features',
    test: 'contract/openapi.test.ts > the catalogue lists the corridors, and each reason and feature in words',
    mechanism: 'src/core/domain/feature-schema.ts',
  },
  'rule-sets-checked': {
    says: 'A check names line and column of a mistake, and a test says what a rule set would decide.',
    shown: 'POST /v1/rule-sets/check, POST /v1/rule-sets/test, risk rules check, risk rules test',
    test: 'integration/rooms/rules/rule-set-yesterday.test.ts > check names line and column, and test says what would be decided',
    mechanism: 'src/rooms/rules/try-rule-set.ts',
  },
  'rule-catalogue': {
    says: 'Names that an expression may read have their types and values of yesterday.',
    shown: 'GET /v1/rule-sets/catalogue',
    test: 'integration/rooms/rules/rule-set-yesterday.test.ts > names of the catalogue have their types and values of yesterday',
    mechanism: 'src/rooms/rules/catalogue.ts',
  },
  'hits-of-yesterday': {
    says: 'A check tells how often each rule would have fired yesterday, by what scores recorded.',
    test: 'integration/rooms/rules/rule-set-yesterday.test.ts > hits of yesterday follow what scores recorded, and the rest is missing',
    mechanism: 'src/rooms/rules/yesterday.ts',
  },
  'rule-files': {
    says: 'Import of an exported rule set, and export of an imported one, give the same bytes.',
    shown: 'risk rules import, risk rules export, risk rules diff',
    test: 'unit/rooms/rules/rule-file.test.ts > import of an export, and export of an import, give the same bytes',
    mechanism: 'src/rooms/rules/rule-file.ts',
  },
  'metadata-fields': {
    says: 'Members of metadata are declared for rules, refuse no payment, and stay while a rule set reads them.',
    shown: `GET /v1/metadata-fields, PUT /v1/metadata-fields/{name}, DELETE /v1/metadata-fields/{name},
      risk metadata list, risk metadata declare, risk metadata withdraw`,
    test: 'integration/rooms/rules/rule-set-life.test.ts > metadata fields are declared for rules, refuse no payment, and stay while a rule set reads them',
    mechanism: 'src/rooms/rules/metadata-fields.ts',
  },
  backtests: {
    says: 'Verdicts and scores of a backtest of what decided are those that are stored.',
    shown: `POST /v1/backtests, GET /v1/backtests, GET /v1/backtests/{id}, risk backtest run, risk backtest file,
      risk backtest list, risk backtest show, console /backtests, console /backtests/:id`,
    test: 'integration/rooms/backtest/backtest-of-scored.test.ts > verdicts and scores of a backtest are those that are stored',
    mechanism: 'src/rooms/backtest/count/report.ts',
  },
  'backtest-resumed': {
    says: 'A backtest that is killed and resumed gives the same bytes.',
    shown: `POST /v1/backtests/{id}/cancel, POST /v1/backtests/{id}/resume,
      risk backtest cancel, risk backtest resume`,
    test: 'integration/rooms/backtest/backtest.test.ts > a run page by page, and one that is killed and resumed, give the same bytes',
    mechanism: 'src/rooms/backtest/run.ts',
  },
  'backtest-bands': {
    says: 'Other bands of a backtest give what SQL counts.',
    shown: 'GET /v1/backtests/{id}/bands, risk backtest bands',
    test: 'integration/rooms/backtest/backtest.test.ts > other bands give what SQL counts, of all corridors and of one',
    mechanism: 'src/rooms/backtest/count/bands.ts',
  },
  'model-rollout': {
    says: 'One person proposes a model, another confirms it, and one person rolls it back.',
    shown: `GET /v1/models, GET /v1/models/{id}, POST /v1/models/{id}/proposals, POST /v1/models/rollback,
      risk models list, risk models show, risk models promote, risk models rollback, console /models, console /models/:id`,
    test: 'integration/rooms/models/models-http.test.ts > one proposes, another confirms, one rolls back',
    mechanism: 'src/core/store/rollouts/decide-rollout.ts',
  },
  'model-emergency': {
    says: 'What one person puts in force alone ends by itself after a day.',
    shown: 'POST /v1/models/{id}/emergency, risk models emergency',
    test: 'integration/rooms/models/emergencies.test.ts > an emergency ends by itself after a day, and the audit log records it',
    mechanism: 'src/core/store/rollouts/rollouts.ts',
  },
  'model-files': {
    says: 'A model is imported, listed, shown and exported as it was.',
    shown: 'risk models import, risk models export',
    test: 'integration/rooms/models/models.test.ts > a model is imported, listed, shown and exported as it was',
    mechanism: 'src/rooms/models/registry/register-model.ts',
  },
  'model-training': {
    says: 'A training with the same rows and seed makes the same bytes, and others with another seed.',
    shown: 'risk models train',
    test: 'integration/rooms/models/train-models.test.ts > has the same bytes for the same rows and seed, and others for another',
    mechanism: 'src/rooms/models/training/train-trees.ts',
  },
  'model-watch': {
    says: 'Two workers make one report of the watch an interval, of the numbers of that time.',
    shown: 'GET /v1/models/watch, risk models watch, RISK_WATCH_EVERY_SECONDS',
    test: 'integration/rooms/models/watch-duty.test.ts > two workers make one report an interval, of the same numbers as a look at that time',
    mechanism: 'src/rooms/models/duty.ts',
  },
  'model-shadows': {
    says: 'Verdicts and labels of a shadow stand beside what decided, each transaction once.',
    shown: 'GET /v1/models/{id}/comparison',
    test: 'integration/rooms/models/shadow-comparison.test.ts > verdicts and labels of both, each transaction once',
    mechanism: 'src/rooms/models/queries/comparison.ts',
  },
  'model-checks': {
    says: 'A model whose bytes, golden vectors or schema are not what they were does not score.',
    test: 'integration/rooms/models/models-in-force.test.ts > a changed %s keeps the model from scoring',
    mechanism: 'src/rooms/models/registry/check-model.ts',
  },
  'exact-explanations': {
    says: 'Exact explanations run beside the thread of the requests, one after the other, and stop no payment.',
    test: 'integration/held-thread.long.test.ts > three exact explanations of 2,000 trees of 255 leaves stop no payment beside',
    mechanism: 'src/rooms/models/registry/aside.ts',
  },
  'models-of-libraries': {
    says: 'Models of two versions of XGBoost and LightGBM give the probabilities of their library, or are refused by the name of a member.',
    test: 'golden/library-models.test.ts > $name',
    mechanism: 'src/rooms/models/model/read-lightgbm.ts',
  },
  'numbers-unread': {
    says: 'What is no number in a member that no prediction reads stops no import of a model.',
    test: 'unit/rooms/models/model/load-model.test.ts > an XGBoost file with %s in members that no prediction reads',
    mechanism: 'src/rooms/models/model/bounds.ts',
  },
};
