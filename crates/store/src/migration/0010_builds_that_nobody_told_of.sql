-- Whether somebody told us of a build of the target, and we did not only come across it.
alter table builds add column told integer not null default 1;
