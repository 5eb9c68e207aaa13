-- An operator accepts a text once; also what every look-up of acceptances reads.
create unique index audit_log_acceptances on audit_log (subject, (data ->> 'hash'))
  where action = 'provider_notice_accepted';
