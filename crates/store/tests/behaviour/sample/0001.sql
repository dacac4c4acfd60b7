insert into deliveries values (1, 'ecr-prod', '1', 1700000000000, x'7b7d');
insert into releases values (1, 'mandelbrot', '0101010101010101010101010101010101010101', 'Draw faster', 1700000000000);
insert into announcements values
    (1, 1, 'pushed', 'registry.example/mandelbrot', 'sha-1', null, null, 'accepted', 'a build of mandelbrot', 1),
    (2, 1, 'moved', 'acme/trinity', null, null, null, 'pending', null, null),
    (3, 1, 'unusable', null, null, null, 'UPPER', 'unusable', 'not an image repository', null);
insert into builds values
    (1, 1, 'aws', 'registry.example/mandelbrot', 'sha-1', 'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1700000000000);
insert into promotions values
    (1, 1, 'mandelbrot', 'acme/trinity', 'main', 1700000000000, 1700000000000, 7, 'https://forge.example/acme/trinity/pull/7', 'superseded', '0202020202020202020202020202020202020202', null, null, null, null, null);
insert into heads values
    (1, '0303030303030303030303030303030303030303', '0404040404040404040404040404040404040404', 1, 1700000000000);
insert into evidence values (1, 'image', 'pending', 1700000060000, 'waiting for the image in gcp', null);
insert into ledger values (1, 1, 1, 1700000000000, 'opened', 'release 0101010 is to go to acme/trinity', null);
insert into work values
    (1, 'announcement', 2, 1700000000000, 0, 0, null, null),
    (2, 'promotion', 1, 1700000000000, 2, 3, 1700000060000, 1700000001000);
