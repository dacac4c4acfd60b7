-- The head that the forge took our order to merge for; null while there is none of ours.
alter table promotions add column ordered_head text;

-- When the pull request got its labels.
alter table promotions add column labelled_at_ms integer;

-- The commit that our verdict was reported of last, and the word for that verdict.
alter table promotions add column reported_head text;
alter table promotions add column reported_state text;

-- What we have said on a pull request, by what it is about: once each.
create table comments (
    id integer primary key autoincrement,
    promotion_id integer not null references promotions (id),
    about text not null,
    -- null while we do not know whether the forge has it
    posted_at_ms integer,
    unique (promotion_id, about)
) strict;
