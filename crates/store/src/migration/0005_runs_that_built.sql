-- The run of a workflow that says that it built the image, where the sender has shown to be one.
alter table announcements add column workflow text;

alter table announcements add column run_url text;

create index announcements_of_runs on announcements (repository, tag) where workflow is not null;
