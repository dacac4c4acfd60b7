insert into announcements (id, delivery_id, kind, repository, verdict, soon) values (4, 1, 'moved', 'acme/trinity', 'pending', 1);
insert into work (id, subject_kind, subject_id, due_at_ms, attempts, fence) values (3, 'announcement', 4, 1700000000000, 0, 0);
