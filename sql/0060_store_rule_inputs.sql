-- What rules read beside the vector is stored with the score. Adds a column without values: no row is written anew.

alter table scores add column rule_inputs json;
comment on column scores.rule_inputs is
  'What the rule set read beside features and corridor, by key, as {"in_list.stolen-devices": true}; an input that was missing has no key. Null: nothing.';
comment on column scores.features_crc32 is
  'CRC-32 of features with every NaN read as the least double, so that one changed bit is found wherever it is, and of the text of rule_inputs behind them; null for older rows.';
