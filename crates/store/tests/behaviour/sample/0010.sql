insert into builds (id, release_id, target, image_repository, tag, digest, found_at_ms, told)
values (2, 1, 'gcp', 'registry.example/mandelbrot', 'sha-1', 'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1700000000000, 0);
