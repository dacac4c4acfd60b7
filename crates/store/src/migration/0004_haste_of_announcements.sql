-- Whether what moved may be looked at a little later, together with what else moves until then.
alter table announcements add column soon integer not null default 0;
