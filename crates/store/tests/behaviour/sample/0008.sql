insert into deliveries (id, sender, sender_delivery_id, received_at_ms, body, body_dropped)
values (2, 'ecr-prod', '2', 1700000000000, x'', 1);
