-- A column without a default: models is locked for a moment, no row is written.
alter table models add column calibration jsonb;
comment on column models.calibration is
  'From margins to probabilities, as in the manifest; null: as the format of the artefact has it.';
comment on column models.golden_probabilities is 'After calibration.';
