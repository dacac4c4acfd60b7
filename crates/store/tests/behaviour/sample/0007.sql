insert into rounds (name, due_at_ms) values ('drift mandelbrot', 1700000000000);
insert into drifts (application, target, released, has, since_ms)
values ('mandelbrot', 'aws', 'sha-1', 'v1-hotfix', 1700000000000), ('mandelbrot', 'gcp', 'sha-1', null, 1700000000000);
