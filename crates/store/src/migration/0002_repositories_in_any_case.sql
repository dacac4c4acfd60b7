-- A repository of the forge is the same one in any case: one that the configuration spells anew has no second slot,
-- and is found as it is announced.

create unique index promotions_slot_in_any_case on promotions (application, lower(gitops_repository))
where slot_taken_at_ms is not null and outcome is null;

create index promotions_unsettled_in_any_case on promotions (lower(gitops_repository), application)
where outcome is null;
