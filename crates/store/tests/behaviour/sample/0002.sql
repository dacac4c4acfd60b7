insert into releases (id, application, source_commit, created_at_ms)
values (2, 'mandelbrot', '0202020202020202020202020202020202020202', 1700000002000);
insert into promotions (id, release_id, application, gitops_repository, base, opened_at_ms)
values (2, 2, 'mandelbrot', 'Acme/Trinity', 'main', 1700000002000);
