insert into announcements (id, delivery_id, kind, repository, tag, verdict, release_id, workflow, run_url)
values (5, 1, 'pushed', 'registry.example/mandelbrot', 'sha-1', 'accepted', 1, 'acme/mandelbrot/.github/workflows/build.yml@refs/heads/main', 'https://forge.example/acme/mandelbrot/actions/runs/1');
