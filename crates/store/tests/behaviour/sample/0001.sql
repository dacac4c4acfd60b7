insert into deliveries (id, sender, sender_delivery_id, received_at_ms, body)
values (1, 'ecr-prod', '1', 1700000000000, x'7b7d');
insert into releases (id, application, source_commit, subject, created_at_ms)
values (1, 'mandelbrot', '0101010101010101010101010101010101010101', 'Draw faster', 1700000000000);
insert into announcements (id, delivery_id, kind, repository, tag, claimed_digest, unusable_text, verdict, reason, release_id)
values
    (1, 1, 'pushed', 'registry.example/mandelbrot', 'sha-1', null, null, 'accepted', 'a build of mandelbrot', 1),
    (2, 1, 'moved', 'acme/trinity', null, null, null, 'pending', null, null),
    (3, 1, 'unusable', null, null, null, 'UPPER', 'unusable', 'not an image repository', null);
insert into builds (id, release_id, target, image_repository, tag, digest, found_at_ms)
values (1, 1, 'aws', 'registry.example/mandelbrot', 'sha-1', 'sha256:0000000000000000000000000000000000000000000000000000000000000000', 1700000000000);
insert into promotions (id, release_id, application, gitops_repository, base, opened_at_ms, slot_taken_at_ms, pull_request, pull_request_url, closing, closing_commit)
values (1, 1, 'mandelbrot', 'acme/trinity', 'main', 1700000000000, 1700000000000, 7, 'https://forge.example/acme/trinity/pull/7', 'superseded', '0202020202020202020202020202020202020202');
insert into heads (promotion_id, head_commit, base_commit, sequence, recorded_at_ms)
values (1, '0303030303030303030303030303030303030303', '0404040404040404040404040404040404040404', 1, 1700000000000);
insert into evidence (promotion_id, kind, outcome, until_ms, seen)
values (1, 'image', 'pending', 1700000060000, 'waiting for the image in gcp');
insert into ledger (id, release_id, promotion_id, at_ms, what, why)
values (1, 1, 1, 1700000000000, 'opened', 'release 0101010 is to go to acme/trinity');
insert into work (id, subject_kind, subject_id, due_at_ms, attempts, fence, lease_until_ms, woken_at_ms)
values
    (1, 'announcement', 2, 1700000000000, 0, 0, null, null),
    (2, 'promotion', 1, 1700000000000, 2, 3, 1700000060000, 1700000001000);
