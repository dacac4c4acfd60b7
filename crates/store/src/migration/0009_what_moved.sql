-- What of a repository moved; null for what was there before: anything.
alter table announcements add column about text;
