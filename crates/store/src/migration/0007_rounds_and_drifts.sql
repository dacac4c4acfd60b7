-- What is looked at from time to time, by one replica for all, and when it is due again.
create table rounds (
    name text primary key,
    due_at_ms integer not null
) strict;

-- Overlays that name something else than the last release put there.
create table drifts (
    application text not null,
    target text not null,
    -- the tag that was put there, and the one that is there; null where there is none
    released text not null,
    has text,
    since_ms integer not null,
    primary key (application, target)
) strict;
