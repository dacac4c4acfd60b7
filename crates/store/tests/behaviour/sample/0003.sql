update promotions set ordered_head = '0303030303030303030303030303030303030303', labelled_at_ms = 1700000000000,
    reported_head = '0303030303030303030303030303030303030303', reported_state = 'success'
where id = 1;
insert into comments (id, promotion_id, about, posted_at_ms)
values (1, 1, 'foreign 0505050505050505050505050505050505050505 on #7', 1700000000000);
