-- Whether the body was dropped because of its age; it is empty then.
alter table deliveries add column body_dropped integer not null default 0;

create index deliveries_received on deliveries (received_at_ms);
