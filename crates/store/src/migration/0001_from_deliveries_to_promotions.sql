-- Times are milliseconds since 1970, UTC. Text is what the domain prints, so that it parses back.
-- Keys are never given twice: they are the cursors of lists and the names of things in links.

create table deliveries (
    id integer primary key autoincrement,
    sender text not null,
    sender_delivery_id text not null,
    received_at_ms integer not null,
    body blob not null,
    unique (sender, sender_delivery_id)
) strict;

create table releases (
    id integer primary key autoincrement,
    application text not null,
    source_commit text not null,
    subject text,
    created_at_ms integer not null,
    unique (application, source_commit)
) strict;

create table announcements (
    id integer primary key autoincrement,
    delivery_id integer not null references deliveries (id),
    kind text not null check (kind in ('pushed', 'moved', 'unusable')),
    -- host/name of what was pushed, or owner/name of what moved
    repository text,
    tag text,
    claimed_digest text,
    -- what could be read of what can not be used
    unusable_text text,
    verdict text not null,
    reason text,
    release_id integer references releases (id)
) strict;

create index announcements_of_delivery on announcements (delivery_id);

create table builds (
    id integer primary key autoincrement,
    release_id integer not null references releases (id),
    target text not null,
    image_repository text not null,
    tag text not null,
    digest text not null,
    found_at_ms integer not null,
    unique (release_id, target, digest)
) strict;

create table promotions (
    id integer primary key autoincrement,
    release_id integer not null references releases (id),
    -- the application of the release once more, for the index of slots
    application text not null,
    gitops_repository text not null,
    base text not null,
    opened_at_ms integer not null,
    -- since when it may have a pull request
    slot_taken_at_ms integer,
    pull_request integer,
    pull_request_url text,
    -- the ending that was decided, and the outcome: a word and what it needs
    closing text,
    closing_commit text,
    closing_why text,
    outcome text,
    outcome_commit text,
    outcome_why text,
    settled_at_ms integer
) strict;

create index promotions_of_release on promotions (release_id);

create index promotions_unsettled on promotions (gitops_repository, application) where outcome is null;

-- One live promotion per application and GitOps repository.
create unique index promotions_slot on promotions (application, gitops_repository)
where slot_taken_at_ms is not null and outcome is null;

-- A release is on its way once at a time.
create unique index promotions_of_release_unsettled on promotions (release_id) where outcome is null;

create table heads (
    promotion_id integer not null references promotions (id),
    head_commit text not null,
    base_commit text not null,
    -- the highest is the one that was pushed last
    sequence integer not null,
    recorded_at_ms integer not null,
    primary key (promotion_id, head_commit)
) strict;

create table evidence (
    promotion_id integer not null references promotions (id),
    kind text not null,
    outcome text not null,
    until_ms integer,
    seen text not null,
    link text,
    primary key (promotion_id, kind)
) strict;

create table ledger (
    id integer primary key autoincrement,
    release_id integer not null references releases (id),
    promotion_id integer references promotions (id),
    at_ms integer not null,
    what text not null,
    why text not null,
    link text
) strict;

create index ledger_of_release on ledger (release_id);

create index ledger_of_promotion on ledger (promotion_id);

-- What is to be looked at, and when. A claim is the row's id, which is never given twice, and the fence,
-- which each new claim raises: who holds an older one can not record.
create table work (
    id integer primary key autoincrement,
    subject_kind text not null check (subject_kind in ('announcement', 'promotion')),
    subject_id integer not null,
    due_at_ms integer not null,
    attempts integer not null,
    fence integer not null,
    -- null while nobody has claimed it
    lease_until_ms integer,
    -- when somebody asked for another look while it was claimed
    woken_at_ms integer,
    unique (subject_kind, subject_id)
) strict;

create index work_due on work (due_at_ms, id);
