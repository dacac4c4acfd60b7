insert into announcements (id, delivery_id, kind, repository, tag, verdict, site)
values (6, 1, 'pushed', 'registry.example/mandelbrot', 'sha-2', 'pending', 'registry.example');
insert into work (id, subject_kind, subject_id, lane, site, due_at_ms, attempts, fence)
values (4, 'announcement', 6, 'registry.example/mandelbrot', 'registry.example', 1700000000000, 0, 0);
