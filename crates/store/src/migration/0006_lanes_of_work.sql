-- What work is about and whom it asks: none of either may keep all workers busy. Empty for what was there before.
alter table work add column lane text not null default '';
alter table work add column site text not null default '';

-- The registry that an announcement is asked about.
alter table announcements add column site text not null default '';
