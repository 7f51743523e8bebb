-- Finds the coupons in which a user had a hold. Claims have an index already, so only an event `held` has an entry.
CREATE INDEX events_by_holder ON events (user_id) WHERE kind = 'held';
