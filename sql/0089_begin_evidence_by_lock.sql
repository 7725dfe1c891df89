-- A log of evidence begins under a lock of evidence_intake, which waits for stores of scores. Changes a comment, and locks nothing else.

comment on column evidence_logs.before_xid is 'Read by earlier builds alone.';
