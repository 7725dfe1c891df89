-- Fields of the clients' metadata that rules may read. Makes a table; no reader and no writer waits.

create table metadata_fields (
  name text constraint metadata_fields_pkey primary key
    constraint field_name check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,39}$'),
  type text not null constraint field_type_known check (type in ('text', 'number', 'boolean')),
  description text not null constraint description_bounded check (char_length(description) between 1 and 500),
  declared_by text not null,
  declared_at timestamptz(3) not null default now()
);
comment on table metadata_fields is
  'Members of metadata that travel with the transaction and are stored with its score, at most 16; processes read them with the switches.';
comment on column scores.rule_inputs is
  'What the rule set read beside features and corridor, and the declared metadata, by key, as {"in_list.stolen-devices": true, "metadata.tier": "gold"}; what was missing has no key. Null: nothing.';
