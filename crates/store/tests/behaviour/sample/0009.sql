insert into announcements (id, delivery_id, kind, repository, verdict, about)
values (7, 1, 'moved', 'acme/trinity', 'pending', 'branch main');
insert into work (id, subject_kind, subject_id, lane, due_at_ms, attempts, fence)
values (5, 'announcement', 7, 'acme/trinity', 1700000000000, 0, 0);
