-- Takes away rewritings of clear values. Locks tables that nobody uses.

drop table personal_migrations;
drop table personal_values;
drop function personal_metadata;
drop function personal_members;
drop function refuse_while_migrating;
